export { diagnoseLayers, type DiagnoseLayersOptions, type LayersDiagnosis } from './diagnose-layers';
