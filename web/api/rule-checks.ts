import { booleanParameter } from '../params.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';

/** GET /api/v1/rules/check, an addition of ours: which selectors of rules find nothing. */
export const ruleChecks: JsonRoute = {
  path: '/rules/check',
  methods: ['GET'],
  doc: {
    id: 'rules-check',
    tag: 'rules',
    summary: 'List how many series the selectors of rules find (Narthex only)',
    parameters: [
      {
        name: 'silent',
        kind: 'boolean',
        description: 'Only rules with a selector that finds nothing.',
        example: true,
      },
    ],
    body: 'RuleChecks',
  },
  async handle({ form, signal }, { ports }) {
    const onlySilent = booleanParameter(form, 'silent', 'error converting silent');
    const all = (await ports.alertInsight?.checkRules(signal)) ?? [];
    const rules = all.filter(
      ({ selectors }) => !onlySilent || selectors.some(({ problem }) => problem !== null),
    );
    const quarantined = ports.alertInsight?.quarantined() ?? [];
    return successJson(JSON.stringify({ rules, quarantined }));
  },
};
