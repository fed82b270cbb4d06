export { greyImage } from './grey-image';
