import { operatorCompliance } from '../../engine/testing/operator-compliance.ts';
import { tumblingWindow } from './tumbling-window.ts';

operatorCompliance(tumblingWindow);
