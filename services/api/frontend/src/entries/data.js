// The page Data: its upload.
import { sendWithProgress } from "../upload.js";

sendWithProgress(document.getElementById("upload"));
