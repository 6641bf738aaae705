/*
 * Stops a program, all its threads and children, at every system call that changes anything
 * below given directories, and counts these calls with one counter. At the N-th one it can kill
 * everything (before or after the call, or in the middle of a write), make the call fail without
 * carrying it out, or hold everything still while somebody copies the disk.
 *
 *   trace [--root DIR]... [--report FILE] [MODE] -- PROGRAM [ARGUMENT]...
 *
 *   --count          (default) count only
 *   --kill N         SIGKILL to all before the N-th call takes effect
 *   --after N        SIGKILL to all when the N-th call has taken effect
 *   --short N        the N-th call, where it writes, writes half; then SIGKILL to all
 *   --stop N         hold all at the N-th call, say "stopped" on standard output when no other
 *                    call is under way, and SIGKILL all at the end of standard input
 *   --fail N --errno E [--to M]
 *                    calls N to M (default N; 0: until SIGUSR1 comes) fail with error number E
 *   --swallow-flush  fsync and its kin answer 0 and do nothing (also together with a mode)
 *
 * A seccomp filter lets only the calls in question stop, so that the rest runs at full speed
 * (seccomp(2), ptrace(2): PTRACE_O_TRACESECCOMP). What is written through a shared mapping is not
 * seen; io_uring is refused, so that nothing goes past. The report holds a line a call:
 * number, thread, name, path, result. x86-64 Linux from 4.8 on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the tracer knows the registers of x86-64 only"
#endif

/* Where a call says what it changes: in which argument a directory, a path, an open file. */
enum { NONE = -1 };
enum kind { PLAIN, OPENS, WRITES, FLUSHES, OPENS_BY_STRUCT };
struct call {
  int number;
  const char *name;
  enum kind kind;
  int directory, path; /* of the first path; directory NONE: the working directory */
  int directory2, path2;
  int fd, fd2;
};
#define ON_FD(n, kind, fd) { SYS_##n, #n, kind, NONE, NONE, NONE, NONE, fd, NONE }
#define ON_PATH(n, kind, directory, path) { SYS_##n, #n, kind, directory, path, NONE, NONE, NONE, NONE }
#define ON_PATHS(n, d, p, d2, p2) { SYS_##n, #n, PLAIN, d, p, d2, p2, NONE, NONE }
static const struct call CALLS[] = {
  ON_PATH(open, OPENS, NONE, 0), ON_PATH(openat, OPENS, 0, 1), ON_PATH(creat, PLAIN, NONE, 0),
  ON_PATH(openat2, OPENS_BY_STRUCT, 0, 1),
  ON_FD(write, WRITES, 0), ON_FD(pwrite64, WRITES, 0), ON_FD(writev, PLAIN, 0), ON_FD(pwritev, PLAIN, 0),
  ON_FD(pwritev2, PLAIN, 0), ON_FD(copy_file_range, PLAIN, 2), ON_FD(sendfile, PLAIN, 0), ON_FD(splice, PLAIN, 2),
  ON_FD(ftruncate, PLAIN, 0), ON_PATH(truncate, PLAIN, NONE, 0), ON_FD(fallocate, PLAIN, 0), ON_FD(ioctl, PLAIN, 0),
  ON_PATHS(rename, NONE, 0, NONE, 1), ON_PATHS(renameat, 0, 1, 2, 3), ON_PATHS(renameat2, 0, 1, 2, 3),
  ON_PATHS(link, NONE, 0, NONE, 1), ON_PATHS(linkat, 0, 1, 2, 3),
  ON_PATH(symlink, PLAIN, NONE, 1), ON_PATH(symlinkat, PLAIN, 1, 2),
  ON_PATH(unlink, PLAIN, NONE, 0), ON_PATH(unlinkat, PLAIN, 0, 1), ON_PATH(rmdir, PLAIN, NONE, 0),
  ON_PATH(mkdir, PLAIN, NONE, 0), ON_PATH(mkdirat, PLAIN, 0, 1), ON_PATH(mknod, PLAIN, NONE, 0), ON_PATH(mknodat, PLAIN, 0, 1),
  ON_FD(fsync, FLUSHES, 0), ON_FD(fdatasync, FLUSHES, 0), ON_FD(syncfs, FLUSHES, 0), ON_FD(sync, FLUSHES, NONE),
  ON_FD(sync_file_range, FLUSHES, 0),
  ON_PATH(chmod, PLAIN, NONE, 0), ON_FD(fchmod, PLAIN, 0), ON_PATH(fchmodat, PLAIN, 0, 1),
  ON_PATH(chown, PLAIN, NONE, 0), ON_PATH(lchown, PLAIN, NONE, 0), ON_FD(fchown, PLAIN, 0), ON_PATH(fchownat, PLAIN, 0, 1),
  ON_PATH(utime, PLAIN, NONE, 0), ON_PATH(utimes, PLAIN, NONE, 0), ON_PATH(futimesat, PLAIN, 0, 1), ON_PATH(utimensat, PLAIN, 0, 1),
  ON_PATH(setxattr, PLAIN, NONE, 0), ON_PATH(lsetxattr, PLAIN, NONE, 0), ON_FD(fsetxattr, PLAIN, 0),
  ON_PATH(removexattr, PLAIN, NONE, 0), ON_PATH(lremovexattr, PLAIN, NONE, 0), ON_FD(fremovexattr, PLAIN, 0),
};
enum { CALL_COUNT = sizeof CALLS / sizeof *CALLS };

/* FICLONE, FICLONERANGE, FIDEDUPERANGE: the requests of ioctl that change a file. */
static const unsigned CLONES[] = { 0x40049409, 0x4020940d, 0xc0189436 };
#define CHANGING_FLAGS (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

enum mode { COUNT, KILL, AFTER, SHORT, STOP, FAIL };
static enum mode mode = COUNT;
static long first = 0, last = 0, counter = 0;
static int error_number = 0, swallows = 0, in_flight = 0, is_stopping = 0;
static volatile sig_atomic_t healed = 0;
static char *roots[16];
static int root_count = 0;
static FILE *report = NULL;

/* Threads that are traced, and the counted call each is in. */
enum { MAX_THREADS = 4096 };
static struct thread { pid_t id; const struct call *in; long number; int dies_after; char path[PATH_MAX + 64]; } threads[MAX_THREADS];

static void die(const char *what) {
  perror(what);
  exit(125);
}

static struct thread *thread_of(pid_t id) {
  struct thread *free_one = NULL;
  for (int i = 0; i < MAX_THREADS; i++) {
    if (threads[i].id == id) return &threads[i];
    if (threads[i].id == 0 && free_one == NULL) free_one = &threads[i];
  }
  if (free_one == NULL) { fprintf(stderr, "trace: too many threads\n"); exit(125); }
  memset(free_one, 0, sizeof *free_one);
  free_one->id = id;
  return free_one;
}

/* ---- the filter ---------------------------------------------------------------------------- */

static struct sock_filter filter[8 * (CALL_COUNT + 8)];
static unsigned short filter_length = 0;
static void emit(unsigned short code, unsigned k, unsigned char if_true, unsigned char if_false) {
  filter[filter_length++] = (struct sock_filter){ code, if_true, if_false, k };
}
static unsigned argument_offset(int index) { return offsetof(struct seccomp_data, args) + 8 * (unsigned)index; }

/* The number is loaded again for each call: an argument may have been looked at in between. */
static void build_filter(void) {
  emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
  emit(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
  emit(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
  emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
  emit(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1);
  emit(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
  for (int i = 0; i < CALL_COUNT; i++) {
    const struct call *call = &CALLS[i];
    if (call->kind == OPENS) {
      emit(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call->number, 0, 4);
      emit(BPF_LD | BPF_W | BPF_ABS, argument_offset(call->path + 1), 0, 0);
      emit(BPF_JMP | BPF_JSET | BPF_K, CHANGING_FLAGS, 0, 1);
      emit(BPF_RET | BPF_K, SECCOMP_RET_TRACE, 0, 0);
      emit(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    } else {
      emit(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call->number, 0, 1);
      emit(BPF_RET | BPF_K, SECCOMP_RET_TRACE, 0, 0);
    }
  }
  emit(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

/* ---- what a call is about ------------------------------------------------------------------ */

static unsigned long argument(const struct user_regs_struct *r, int index) {
  const unsigned long all[] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };
  return all[index];
}

static int read_memory(pid_t id, unsigned long from, void *to, size_t length) {
  struct iovec here = { to, length }, there = { (void *)from, length };
  return process_vm_readv(id, &here, 1, &there, 1, 0) == (ssize_t)length ? 0 : -1;
}

/* Byte by page: a path may end right before memory that is not there. */
static int read_text(pid_t id, unsigned long from, char *to, size_t room) {
  for (size_t got = 0; got < room;) {
    size_t chunk = 4096 - ((from + got) & 4095);
    if (chunk > room - got) chunk = room - got;
    if (read_memory(id, from + got, to + got, chunk) != 0) return -1;
    if (memchr(to + got, 0, chunk) != NULL) return 0;
    got += chunk;
  }
  return -1;
}

static int read_link(pid_t id, const char *format, int fd, char *to) {
  char link[64], name[48];
  snprintf(name, sizeof name, format, fd);
  snprintf(link, sizeof link, "/proc/%d/%s", id, name);
  ssize_t length = readlink(link, to, PATH_MAX - 1);
  if (length < 0) return -1;
  to[length] = 0;
  return 0;
}

/* The path a call names, with `/proc/self/fd/7/x` and what is relative spelt out. */
static int resolve(pid_t id, const struct user_regs_struct *r, int directory, int path, char *to) {
  char text[PATH_MAX], base[PATH_MAX] = "";
  if (read_text(id, argument(r, path), text, sizeof text) != 0) return -1;
  const char *rest = text;
  int fd = directory == NONE ? AT_FDCWD : (int)argument(r, directory), length = 0, number, pid;
  if (sscanf(text, "/proc/self/fd/%d%n", &number, &length) == 1 || sscanf(text, "/proc/%d/fd/%d%n", &pid, &number, &length) == 2 ||
      sscanf(text, "/proc/thread-self/fd/%d%n", &number, &length) == 1 || sscanf(text, "/dev/fd/%d%n", &number, &length) == 1) {
    if (read_link(id, "fd/%d", number, base) != 0) return -1;
    rest = text + length;
  } else if (text[0] != '/') {
    if ((fd == AT_FDCWD ? read_link(id, "cwd", 0, base) : read_link(id, "fd/%d", fd, base)) != 0) return -1;
    if (text[0] != 0) strncat(base, "/", sizeof base - strlen(base) - 1);
  }
  snprintf(to, PATH_MAX, "%s%s", base, rest);
  return 0;
}

static int is_below_roots(const char *path) {
  for (int i = 0; i < root_count; i++) {
    size_t length = strlen(roots[i]);
    if (strncmp(path, roots[i], length) == 0 && (path[length] == '/' || path[length] == 0)) return 1;
  }
  return 0;
}

/* Whether a call changes something below the roots; what it changes goes to `path`. */
static int concerns(pid_t id, const struct call *call, const struct user_regs_struct *r, char *path) {
  path[0] = 0;
  if (call->number == SYS_sync) return 1;
  if (call->number == SYS_ioctl) {
    unsigned request = (unsigned)argument(r, 1), found = 0;
    for (size_t i = 0; i < sizeof CLONES / sizeof *CLONES; i++) found |= CLONES[i] == request;
    if (!found) return 0;
  }
  if (call->kind == OPENS_BY_STRUCT) {
    struct open_how how;
    if (read_memory(id, argument(r, 2), &how, sizeof how) != 0 || (how.flags & CHANGING_FLAGS) == 0) return 0;
  }
  if (call->fd != NONE) return read_link(id, "fd/%d", (int)argument(r, call->fd), path) == 0 && is_below_roots(path);
  /* utimensat and the like without a path change the open file itself. */
  if (call->directory != NONE && argument(r, call->path) == 0) {
    return read_link(id, "fd/%d", (int)argument(r, call->directory), path) == 0 && is_below_roots(path);
  }
  if (resolve(id, r, call->directory, call->path, path) != 0) return 0;
  int found = is_below_roots(path);
  if (call->path2 != NONE) {
    char second[PATH_MAX];
    if (resolve(id, r, call->directory2, call->path2, second) == 0) {
      found |= is_below_roots(second);
      size_t used = strlen(path);
      snprintf(path + used, PATH_MAX - used, " -> %.2000s", second);
    }
  }
  return found;
}

/* ---- stops --------------------------------------------------------------------------------- */

static void kill_all(void) {
  for (int i = 0; i < MAX_THREADS; i++) {
    if (threads[i].id != 0) syscall(SYS_tkill, threads[i].id, SIGKILL);
  }
}

static void resume(pid_t id, int request, int signal_number) {
  if (ptrace(request, id, 0, signal_number) != 0 && errno != ESRCH) die("ptrace");
}

/* The call is not carried out and answers `result`. */
static void answer(pid_t id, struct user_regs_struct *r, long result) {
  r->orig_rax = (unsigned long)-1;
  r->rax = (unsigned long)result;
  if (ptrace(PTRACE_SETREGS, id, 0, r) != 0 && errno != ESRCH) die("PTRACE_SETREGS");
}

static void note(const struct thread *thread, long result) {
  if (report == NULL) return;
  fprintf(report, "%ld\t%d\t%s\t%s\t%ld\n", thread->number, thread->id, thread->in->name, thread->path, result);
  fflush(report);
}

static void before_call(struct thread *thread) {
  struct user_regs_struct r;
  if (ptrace(PTRACE_GETREGS, thread->id, 0, &r) != 0) return;
  const struct call *call = NULL;
  for (int i = 0; i < CALL_COUNT; i++) {
    if (CALLS[i].number == (int)r.orig_rax) call = &CALLS[i];
  }
  if (call == NULL || !concerns(thread->id, call, &r, thread->path)) {
    resume(thread->id, PTRACE_CONT, 0);
    return;
  }
  if (is_stopping) return; /* stays where it is */
  thread->in = call;
  thread->number = ++counter;
  const int is_it = counter == first;
  if (is_it && (mode == KILL || mode == STOP)) note(thread, 0);
  if (is_it && mode == KILL) { kill_all(); return; }
  if (is_it && mode == STOP) { is_stopping = 1; return; }
  const int fails = mode == FAIL && counter >= first && (last == 0 ? !healed : counter <= last);
  const int is_swallowed = swallows && call->kind == FLUSHES;
  if (fails || is_swallowed) {
    const long result = fails ? -error_number : 0;
    answer(thread->id, &r, result);
    note(thread, result);
    resume(thread->id, PTRACE_CONT, 0);
    return;
  }
  if (is_it && mode == SHORT && call->kind == WRITES) {
    r.rdx = r.rdx > 1 ? r.rdx / 2 : 1;
    if (ptrace(PTRACE_SETREGS, thread->id, 0, &r) != 0 && errno != ESRCH) die("PTRACE_SETREGS");
  }
  thread->dies_after = is_it && (mode == AFTER || mode == SHORT);
  in_flight++;
  resume(thread->id, PTRACE_SYSCALL, 0);
}

static void after_call(struct thread *thread) {
  struct user_regs_struct r;
  if (thread->in != NULL) {
    in_flight--;
    if (ptrace(PTRACE_GETREGS, thread->id, 0, &r) == 0) note(thread, (long)r.rax);
    thread->in = NULL;
  }
  if (thread->dies_after) { thread->dies_after = 0; kill_all(); return; }
  resume(thread->id, PTRACE_CONT, 0);
}

static void handle(pid_t id, int status) {
  struct thread *thread = thread_of(id);
  const int signal_number = WSTOPSIG(status), event = status >> 16;
  if (event == PTRACE_EVENT_SECCOMP) before_call(thread);
  else if (signal_number == (SIGTRAP | 0x80)) after_call(thread);
  else if (event == PTRACE_EVENT_STOP) resume(id, signal_number == SIGTRAP ? PTRACE_CONT : PTRACE_LISTEN, 0);
  else if (event != 0) resume(id, PTRACE_CONT, 0);
  else resume(id, thread->in != NULL ? PTRACE_SYSCALL : PTRACE_CONT, signal_number);
}

static void hold_still(void) {
  char byte;
  printf("stopped\n");
  fflush(stdout);
  while (read(STDIN_FILENO, &byte, 1) > 0) {}
  kill_all();
}

static int follow(pid_t main_process) {
  int code = 0, is_held = 0;
  for (;;) {
    int status;
    pid_t id = waitpid(-1, &status, __WALL);
    if (id < 0 && errno == EINTR) continue;
    if (id < 0) break;
    if (WIFSTOPPED(status)) {
      handle(id, status);
    } else {
      struct thread *thread = thread_of(id);
      if (thread->in != NULL && !(is_stopping && thread->number == first)) in_flight--;
      thread->id = 0;
      if (id == main_process) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (is_stopping && !is_held && in_flight == 0) { is_held = 1; hold_still(); }
  }
  return code;
}

static void heal(int signal_number) {
  (void)signal_number;
  healed = 1;
}

static void start_program(char **command, int gate) {
  char byte;
  setpgid(0, 0);
  if (read(gate, &byte, 1) != 1) _exit(125);
  close(gate);
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  if (mode == STOP) dup2(nothing, STDOUT_FILENO);
  struct sock_fprog program = { filter_length, filter };
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) die("seccomp");
  execvp(command[0], command);
  die(command[0]);
}

static char **read_options(int count, char **words) {
  static const struct { const char *name; enum mode mode; } modes[] = {
    { "--kill", KILL }, { "--after", AFTER }, { "--short", SHORT }, { "--stop", STOP }, { "--fail", FAIL },
  };
  int has_last = 0;
  for (int i = 1; i < count; i++) {
    if (strcmp(words[i], "--") == 0) {
      if (mode == FAIL && !has_last) last = first;
      return words[i + 1] == NULL ? NULL : &words[i + 1];
    }
    if (strcmp(words[i], "--count") == 0) continue;
    if (strcmp(words[i], "--swallow-flush") == 0) { swallows = 1; continue; }
    if (i + 1 >= count) return NULL;
    const char *value = words[++i], *name = words[i - 1];
    int known = 1;
    if (strcmp(name, "--root") == 0 && root_count < 16) roots[root_count++] = realpath(value, NULL);
    else if (strcmp(name, "--report") == 0) report = fopen(value, "we");
    else if (strcmp(name, "--errno") == 0) error_number = atoi(value);
    else if (strcmp(name, "--to") == 0) { last = atol(value); has_last = 1; }
    else known = 0;
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
      if (strcmp(name, modes[m].name) == 0) { mode = modes[m].mode; first = atol(value); known = 1; }
    }
    if (!known) return NULL;
    if (root_count > 0 && roots[root_count - 1] == NULL) die(value);
  }
  return NULL;
}

int main(int count, char **words) {
  char **command = read_options(count, words);
  if (command == NULL) { fprintf(stderr, "usage: trace [--root DIR]... [--report FILE] [MODE] -- PROGRAM [ARGUMENT]...\n"); return 2; }
  build_filter();
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) die("pipe");
  struct sigaction action = { .sa_handler = heal };
  sigaction(SIGUSR1, &action, NULL);
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) { close(gate[1]); start_program(command, gate[0]); }
  const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                       PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  if (ptrace(PTRACE_SEIZE, child, 0, options) != 0) { perror("PTRACE_SEIZE"); kill(child, SIGKILL); return 125; }
  if (write(gate[1], "", 1) != 1) die("pipe");
  close(gate[1]);
  int code = follow(child);
  if (report != NULL) { fprintf(report, "total\t%ld\n", counter); fclose(report); }
  return code;
}
