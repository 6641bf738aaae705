/** The memory that this process takes from the system. */

export { memoryReturner, processMemory, type ProcessMemory } from './give-back.js';
