export { childScript } from './child-script';
export { loadAddon, type Addon } from './load-addon';
export { tfjsNodePackage, type TfjsNodePackage } from './tfjs-node-package';
