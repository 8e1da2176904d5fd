// amqplib_client.js publish|consume URI NAME COUNT BYTES: publishes to the fanout exchange NAME, or consumes the queue NAME
// with automatic acknowledgement, at full speed.
const [what, uri, name, count, size] = process.argv.slice(2);
const amqp = require(`${__dirname}/fetched/node/node_modules/amqplib`);

async function publish(channel) {
  const body = Buffer.alloc(Number(size), "b");
  for (let i = 0; i < Number(count); ++i) {
    if (!channel.publish(name, "", body)) await new Promise((resolve) => channel.once("drain", resolve));
  }
}

function consume(channel) {
  return new Promise((resolve) => {
    let left = Number(count);
    channel.consume(name, () => --left === 0 && resolve(), { noAck: true });
  });
}

amqp.connect(uri).then(async (connection) => {
  const channel = await connection.createChannel();
  await (what === "publish" ? publish(channel) : consume(channel));
  await channel.close();
  await connection.close();
});
