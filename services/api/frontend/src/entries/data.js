// The page Data: its upload.
import { findElement } from "../elements.js";
import { sendWithProgress } from "../upload.js";

sendWithProgress(findElement("#upload", HTMLFormElement));
