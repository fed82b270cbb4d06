export { diagnoseLayers, type DiagnoseLayersOptions, type LayersDiagnosis } from './diagnose-layers';

export { layerTitle } from './titles';
