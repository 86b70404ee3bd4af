// <script type="module" src="…/define.js">: the elements under their own names, and nothing else to do.

import { define } from './elements';

define();
