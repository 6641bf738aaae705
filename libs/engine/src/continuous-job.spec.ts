// in progress: ContinuousJob tests (helper)
