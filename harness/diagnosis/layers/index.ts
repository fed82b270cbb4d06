export { diagnoseLayers, type DiagnoseLayersOptions, type LayersDiagnosis } from './diagnose-layers';
export { sideAtFaultInLayers, type LayersParty } from './side';
export { layerTitle } from './titles';
