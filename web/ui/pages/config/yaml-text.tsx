import classes from './config.module.css';
import { yamlParts } from './yaml-line.ts';

/** YAML with line numbers, in colours. */
export function YamlText({ yaml }: { yaml: string }) {
  return (
    // Scrolls sideways, hence reachable by keyboard.
    <pre className={classes.yaml} tabIndex={0} aria-label="Configuration">
      {yaml.split('\n').map((line, index) => (
        // A line is its number; nothing is ever inserted.
        <span key={index} className={classes.line}>
          {yamlParts(line).map(({ kind, text }, at) => (
            <span key={at} data-kind={kind}>
              {text}
            </span>
          ))}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}
