/** A small shop over HTTP, slow and faulty now and then, so that there is something to see. */
import { randomBytes } from 'node:crypto';
import fastify, { type FastifyInstance } from 'fastify';
import { ShopMetrics } from './metrics.ts';
import { type Scenario, SCENARIOS } from './scenario.ts';
import { systemFigures } from './system-figures.ts';

const PRODUCTS = [
  { id: '1', name: 'Notebook', stock: 15 },
  { id: '2', name: 'Mouse', stock: 80 },
  { id: '3', name: 'Teclado', stock: 45 },
  { id: '4', name: 'Monitor', stock: 12 },
  { id: '5', name: 'Headset', stock: 30 },
] as const;
export const PRODUCT_IDS: readonly string[] = PRODUCTS.map(({ id }) => id);
const PAYMENT_METHODS = ['cartao', 'pix', 'boleto'] as const;
const RESTOCK_BELOW = 3;
const RESTOCK_COUNT = 40;
const ORDERS_PACKED_PER_SECOND = 2;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

export function buildShop(scenario: Scenario = SCENARIOS.usual): FastifyInstance {
  /** Waiting times have a long tail: most are near `typicalMs`, a few far above. */
  const slowly = (typicalMs: number) =>
    sleep(typicalMs * scenario.slowness * Math.exp(0.6 * gaussian()));
  const metrics = new ShopMetrics(systemFigures());
  const stock = new Map<string, number>(PRODUCTS.map((product) => [product.id, product.stock]));
  const showStock = (id: string) => {
    const product = PRODUCTS.find((candidate) => candidate.id === id)!;
    metrics.stock.set({ produto_id: id, produto_nome: product.name }, stock.get(id)!);
  };
  for (const { id } of PRODUCTS) showStock(id);
  const users = new Set<string>();
  const showUsers = () => metrics.activeUsers.set(users.size);
  let waitingOrderCount = 0;
  const packing = setInterval(() => {
    waitingOrderCount = Math.max(0, waitingOrderCount - ORDERS_PACKED_PER_SECOND);
    metrics.queueSize.set(waitingOrderCount);
  }, 1000).unref();

  const app = fastify();
  app.addHook('onClose', () => clearInterval(packing));
  app.addHook('onRequest', async (request) => {
    const { user } = request.query as { user?: string };
    if (user !== undefined) users.add(user);
    showUsers();
  });
  app.addHook('onResponse', async (request, reply) => {
    const endpoint = request.routeOptions.url ?? 'unknown';
    if (endpoint === '/metrics') return;
    metrics.requestAnswered({
      endpoint: endpoint.replace(':id', '<id>'),
      method: request.method,
      status: reply.statusCode,
      durationSeconds: reply.elapsedTime / 1000,
      traceId: randomBytes(8).toString('hex'),
    });
  });

  app.get('/metrics', async (request, reply) => {
    const { contentType, body } = await metrics.write(request.headers.accept ?? '');
    return reply.type(contentType).send(body);
  });
  app.get('/', async () => {
    await slowly(4);
    return { shop: 'narthex-shop', products: '/produtos' };
  });
  app.get('/produtos', async (request, reply) => {
    const { busca } = request.query as { busca?: string };
    const end = metrics.searchSeconds.startTimer();
    await slowly(busca === undefined ? 15 : 45);
    end();
    const wanted = (busca ?? '').toLowerCase();
    return reply.send(PRODUCTS.filter(({ name }) => name.toLowerCase().includes(wanted)));
  });
  app.get('/produto/:id', async (request, reply) => {
    const { id } = request.params as { id: string };
    await slowly(10);
    const product = PRODUCTS.find((candidate) => candidate.id === id);
    return product ?? reply.code(404).send({ error: `no product ${id}` });
  });
  app.post('/carrinho', async (request, reply) => {
    const { produto } = request.query as { produto?: string };
    await slowly(12);
    if (produto === undefined || !stock.has(produto)) {
      return reply.code(400).send({ error: 'which product?' });
    }
    metrics.cartAdditions.inc({ produto_id: produto });
    return { added: produto };
  });
  app.post('/checkout', async (request, reply) => {
    const { produto = '1' } = request.query as { produto?: string };
    const end = metrics.checkoutSeconds.startTimer();
    // Every now and then the bank takes its time.
    await slowly(Math.random() < 0.04 ? 1800 : 220);
    end();
    if (Math.random() < scenario.failureRatio)
      return reply.code(500).send({ error: 'the bank does not answer' });
    const left = stock.get(produto) ?? 0;
    if (left === 0) return reply.code(409).send({ error: 'sold out' });
    const isRestocked = scenario.restocks && left - 1 < RESTOCK_BELOW;
    stock.set(produto, isRestocked ? left + RESTOCK_COUNT : left - 1);
    showStock(produto);
    waitingOrderCount++;
    const method = PAYMENT_METHODS[Math.floor(Math.random() ** 2 * PAYMENT_METHODS.length)]!;
    metrics.sales.inc({ metodo_pagamento: method });
    return { paid: method };
  });
  app.post('/logout', async (request, reply) => {
    const { user } = request.query as { user?: string };
    if (user !== undefined) users.delete(user);
    showUsers();
    await slowly(3);
    return reply.send({ bye: user });
  });
  return app;
}
