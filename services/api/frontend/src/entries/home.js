import { init } from "../echarts.js";
window.init = init;
