/**
 * The import arrows between the rooms of this workspace, as an ESLint rule:
 *
 *   domain <- ports <- engine;  domain, ports <- adapters;  everything <- apps
 *
 * Each room says what it may import and why it may import no more, and the message repeats that:
 * whoever crosses an arrow should learn from the error where the code belongs instead.
 * The rule sees every way to name a module: static, dynamic and type-only imports, re-exports
 * and `require`. `tools/check-boundaries.mjs` proves each arrow with a file that breaks it.
 */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';

const workspaceRoot = path.resolve(import.meta.dirname, '../..');

/**
 * One entry a room. `allows` lists the workspace packages it may import (exact, or ending in `/*`);
 * `node` says whether `node:*` is open to it; `packages` whether the npm packages of its own
 * package.json are.
 */
const rooms = {
  'libs/domain': {
    allows: [],
    node: false,
    packages: false,
    may: 'libs/domain may import nothing but its own files',
    why: 'its rules are pure, so that they can be checked exhaustively: pass facts in as arguments and return decisions as data',
  },
  'libs/ports': {
    allows: ['@wl/domain'],
    node: false,
    packages: false,
    may: 'libs/ports may import its own files and @wl/domain',
    why: 'a port is a contract anyone can implement: what runs on Node.js or on a package belongs in an adapter',
  },
  'libs/engine': {
    allows: ['@wl/domain', '@wl/ports', '@wl/ports/schemas'],
    node: false,
    // A hash is a function of bytes: no input, no output, nothing to replace in a simulation.
    pure: ['node:crypto'],
    packages: false,
    may: 'libs/engine may import its own files, @wl/domain, @wl/ports and, for hashing, node:crypto',
    why: 'use cases run on ports alone, so that the simulator can drive them with a virtual clock and memory backends: ask for what you need through a port and let apps/*/src/container.ts pass the adapter in',
  },
  'libs/adapters': {
    allows: ['@wl/domain', '@wl/ports', '@wl/ports/schemas'],
    node: true,
    packages: true,
    may: 'an adapter may import its own folder, src/http, src/remote, @wl/domain, @wl/ports, node:* and the npm packages in libs/adapters/package.json',
    why: 'an adapter can be replaced or removed on its own, so it knows neither the engine nor its siblings: share through a port, or wrap the port and let apps/*/src/container.ts compose them',
  },
  'libs/plugin-kit': {
    allows: ['@wl/domain', '@wl/ports', '@wl/ports/schemas'],
    // Its suite for syncers runs them in the engine, on storages in memory.
    testAllows: ['@wl/engine', '@wl/adapters/plugins'],
    node: true,
    packages: false,
    may: 'libs/plugin-kit may import its own files, @wl/domain, @wl/ports and node:*',
    why: 'it is what plugins outside this workspace build with: what it drags in, every author gets',
  },
  'apps/daemon': {
    allows: ['@wl/*'],
    node: true,
    packages: true,
    may: 'apps/daemon may import every library by its package name, node:* and the npm packages in apps/daemon/package.json',
    why: 'what it needs has to be installed with it and bundled into it',
  },
  'apps/cli': {
    allows: ['@wl/*'],
    node: true,
    packages: true,
    may: 'apps/cli may import every library by its package name, node:* and the npm packages in apps/cli/package.json',
    why: 'what it needs has to be installed with it and bundled into it',
  },
};

/** What the drivers of remote storages share: HTTP as such and strict XML; walking folders and taking turns. They import none of them. */
const SHARED_FOLDERS = new Set(['src/http', 'src/remote']);
/** Adapters in memory: what tests of every room may stand on. */
const FAKES = new Set(['@wl/adapters/memory', '@wl/adapters/memory-state']);
/** Entry points that hold test code. */
const testEntries = ['@wl/ports/testing', '@wl/ports/testing/manual-clock', '@wl/domain/testing'];
const testPackages = ['@jest/globals', 'fast-check'];
const wiringPackages = ['inversify', 'reflect-metadata'];
const bareBuiltins = new Set(builtinModules.filter((name) => !name.startsWith('_') && !name.startsWith('node:')));

/** What kind of file this is decides whether test helpers and the wiring are open to it. */
function classify(filename) {
  const relative = path.relative(workspaceRoot, filename).split(path.sep).join('/');
  const project = Object.keys(rooms).find((room) => relative.startsWith(`${room}/`));
  if (project === undefined) return undefined;
  const inside = relative.slice(project.length + 1);
  return {
    project,
    // An adapter's room is its own folder: siblings are as far away as other projects.
    folder: project === 'libs/adapters' ? inside.split('/').slice(0, 2).join('/') : undefined,
    isConformanceSuite: project === 'libs/ports' && inside.startsWith('src/testing/'),
    isTest: /\.(spec|e2e|s3|dav|sftp)\.ts$/.test(inside) || inside.startsWith('e2e/') || /(^|\/)testing\//.test(inside),
    isWiring: project.startsWith('apps/') && /^src\/(container|main)(\.spec)?\.ts$/.test(inside),
  };
}

const manifests = new Map();
function packagesOf(project) {
  if (!manifests.has(project)) {
    const manifest = JSON.parse(readFileSync(path.join(workspaceRoot, project, 'package.json'), 'utf8'));
    const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    manifests.set(
      project,
      names.filter((name) => !name.startsWith('@wl/')),
    );
  }
  return manifests.get(project);
}

const matches = (specifier, patterns) =>
  patterns.some((pattern) =>
    pattern.endsWith('/*') ? specifier.startsWith(pattern.slice(0, -1)) : specifier === pattern,
  );

/** The reason why `specifier` must not be imported by `filename`, or undefined when it may. */
export function refusal(filename, specifier) {
  const file = classify(filename);
  if (file === undefined) return undefined;
  const room = rooms[file.project];
  const teach = (what) => `${what}: ${room.may}. Why: ${room.why}.`;

  if (specifier.startsWith('.') || path.isAbsolute(specifier)) {
    const target = classify(path.resolve(path.dirname(filename), specifier));
    if (target?.project !== file.project) {
      return teach(`'${specifier}' leaves ${file.project}; another project is imported by its package name, if at all`);
    }
    if (file.folder !== undefined && target.folder !== file.folder && !SHARED_FOLDERS.has(target.folder)) {
      return teach(`'${specifier}' leads from ${file.folder} into a sibling adapter`);
    }
    if (target.isConformanceSuite && !file.isTest) {
      return `'${specifier}' is test code: conformance suites load Jest and stay out of the product; only specs and src/testing import them.`;
    }
    return undefined;
  }

  if (specifier.startsWith('node:')) {
    return room.node || file.isTest || room.pure?.includes(specifier) ? undefined : teach(`'${specifier}' is input and output`);
  }
  if (bareBuiltins.has(specifier.split('/')[0])) return `write 'node:${specifier}': the prefix cannot be mistaken for a package.`;

  if (specifier.startsWith('@wl/')) {
    if (testEntries.includes(specifier)) {
      return file.isTest
        ? undefined
        : `'${specifier}' is test code: conformance suites load Jest and stay out of the product; import them in *.spec.ts files.`;
    }
    if (matches(specifier, room.allows)) return undefined;
    if (file.isTest && matches(specifier, room.testAllows ?? [])) return undefined;
    // The memory backend is the fake of every test: no mocks of ports by hand.
    if (file.isTest && !file.isConformanceSuite && room.allows.includes('@wl/ports') && FAKES.has(specifier)) return undefined;
    return teach(`'${specifier}' is against the arrows domain <- ports <- engine; domain, ports <- adapters; everything <- apps`);
  }

  if (testPackages.includes(specifier)) {
    return file.isTest ? undefined : `'${specifier}' is for tests: it may be imported by *.spec.ts, *.e2e.ts and testing folders only.`;
  }
  if (wiringPackages.includes(specifier)) {
    return file.isWiring
      ? undefined
      : `'${specifier}' is known to apps/*/src/container.ts and main.ts alone. Why: classes take what they need in the constructor and carry no decorators, so that they can be built by hand in a test.`;
  }
  if (!room.packages) return teach(`'${specifier}' is a package`);
  const known = packagesOf(file.project).some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return known ? undefined : teach(`'${specifier}' is not in the dependencies of ${file.project}/package.json`);
}

/** The ESLint rule: asks `refusal` for every module named in a file. */
export const arrows = {
  meta: { type: 'problem', docs: { description: 'imports follow the arrows between the rooms' }, schema: [] },
  create(context) {
    const check = (node) => {
      if (node?.type === 'Literal' && typeof node.value === 'string') {
        const message = refusal(context.filename, node.value);
        if (message !== undefined) context.report({ node, message });
      } else if (node !== null && node !== undefined && classify(context.filename)?.isTest === false) {
        context.report({ node, message: 'a module is named by a literal, so that its arrow can be checked.' });
      }
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => {
        if (node.source) check(node.source);
      },
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
      TSExternalModuleReference: (node) => check(node.expression),
      'CallExpression[callee.name="require"]': (node) => check(node.arguments[0]),
    };
  },
};
