#include "cli/plain_load_options.h"

#include <array>

#include "cli/command.h"

namespace brokerlab {
namespace {

constexpr char kGroup[] = "A plain in one command (names of RabbitMQ PerfTest)";

struct LongName {
  const char* letters;
  const char* name;
};

// All that PerfTest has: one that were missing here would be read as a name of one letter with a value.
constexpr auto kLongNames = std::to_array<LongName>({
    {"sb", "skip-binding-queues"},
    {"ct", "confirm-timeout"},
    {"ad", "auto-delete"},
    {"ms", "use-millis"},
    {"qa", "queue-args"},
    {"se", "sasl-external"},
    {"qp", "queue-pattern"},
    {"qpf", "queue-pattern-from"},
    {"qpt", "queue-pattern-to"},
    {"mp", "message-properties"},
    {"rkcs", "routing-key-cache-size"},
    {"prsd", "producer-random-start-delay"},
    {"pst", "producer-scheduler-threads"},
    {"niot", "nio-threads"},
    {"niotp", "nio-thread-pool"},
    {"ctp", "consumers-thread-pools"},
    {"st", "shutdown-timeout"},
    {"sst", "servers-startup-timeout"},
    {"sul", "servers-up-limit"},
    {"vr", "variable-rate"},
    {"vs", "variable-size"},
    {"vl", "variable-latency"},
    {"po", "polling"},
    {"pi", "polling-interval"},
    {"na", "nack"},
    {"re", "requeue"},
    {"ca", "consumer-args"},
    {"cri", "connection-recovery-interval"},
    {"qq", "quorum-queue"},
    {"sq", "stream-queue"},
    {"ew", "exit-when"},
    {"csd", "consumer-start-delay"},
    {"mf", "metrics-format"},
    {"mlb", "max-length-bytes"},
    {"smssb", "stream-max-segment-size-bytes"},
    {"ll", "leader-locator"},
    {"ma", "max-age"},
    {"sco", "stream-consumer-offset"},
    {"hst", "heartbeat-sender-threads"},
    {"nty", "netty"},
    {"ntyt", "netty-threads"},
    {"ntyep", "netty-epoll"},
    {"ntykq", "netty-kqueue"},
    {"jb", "json-body"},
    {"bfc", "body-field-count"},
    {"bc", "body-count"},
    {"qf", "queue-file"},
    {"dcr", "disable-connection-recovery"},
    {"em", "exposed-metrics"},
    {"mh", "metrics-help"},
    {"env", "environment-variables"},
    {"udsc", "use-default-ssl-context"},
    {"sni", "server-name-indication"},
    {"tsbs", "tcp-send-buffer-size"},
    {"trbs", "tcp-receive-buffer-size"},
    {"tnd", "tcp-no-delay"},
    {"cal", "connection-allocation"},
    {"ei", "expected-instances"},
    {"isn", "instance-sync-namespace"},
    {"ist", "instance-sync-timeout"},
    {"o2uri", "oauth2-token-endpoint"},
    {"o2id", "oauth2-client-id"},
    {"o2sec", "oauth2-client-secret"},
    {"o2gr", "oauth2-grant-type"},
    {"o2p", "oauth2-parameters"},
    {"mpr", "metrics-prometheus"},
    {"mpe", "metrics-prometheus-endpoint"},
    {"mpp", "metrics-prometheus-port"},
    {"mt", "metrics-tags"},
    {"mpx", "metrics-prefix"},
    {"mc", "metrics-client"},
    {"mcl", "metrics-class-loader"},
    {"mjm", "metrics-jvm-memory"},
    {"mjgc", "metrics-jvm-gc"},
    {"mjp", "metrics-processor"},
    {"mjt", "metrics-jvm-thread"},
    {"mjx", "metrics-jmx"},
    {"mda", "metrics-datadog"},
    {"mcla", "metrics-command-line-arguments"},
    {"mdk", "metrics-datadog-api-key"},
    {"mds", "metrics-datadog-step-size"},
    {"mdak", "metrics-datadog-application-key"},
    {"mdh", "metrics-datadog-host-tag"},
    {"mdd", "metrics-datadog-descriptions"},
    {"mdu", "metrics-datadog-uri"},
});

struct Untaken {
  const char* names;
  bool has_value;
  const char* reason;
};

// Taken so that a command line of PerfTest works as it is.
constexpr auto kUnneeded = std::to_array<Untaken>({
    {"-i,--interval", true, "the live table and the series of the result have intervals of their own"},
    {"-o,--output-file", true, "result.json has every figure; brokerlab export makes other files of it"},
    {"-M,--framemax", true, "the frame size is what the broker offers"},
    {"--use-millis", false, "all times are of one clock, in nanoseconds"},
    {"--metrics-format", true, "the live table is for people; --json is for programs"},
    {"--confirm-timeout", true,
     "confirms are waited for until the drain limit, and unknown outcomes counted"},
    {"--shutdown-timeout", true, "everything ends in bounded time"},
    {"--servers-startup-timeout", true, "a private broker is waited for; another one has to be up"},
    {"--servers-up-limit", true, "a broker that is needed has to be up"},
    {"--exit-when", true, "a run ends when its queues are empty and its consumers are idle"},
    {"--heartbeat-sender-threads", true, "there is one loop per process"},
    {"--consumers-thread-pools", true, "there is one loop per process"},
    {"--producer-scheduler-threads", true, "there is one loop per process"},
    {"--nio-threads", true, "there is one loop per process"},
    {"--nio-thread-pool", true, "there is one loop per process"},
    {"--netty", false, "there is one loop per process"},
    {"--netty-threads", true, "there is one loop per process"},
    {"--netty-epoll", false, "epoll is what the loop uses"},
    {"--netty-kqueue", false, "epoll is what the loop uses"},
    {"--tcp-no-delay", true, "Nagle's algorithm is always off"},
    {"--tcp-send-buffer-size", true, "the kernel sizes its buffers"},
    {"--tcp-receive-buffer-size", true, "the kernel sizes its buffers"},
    {"--connection-allocation", true, "connections go round the nodes"},
    {"--connection-recovery-interval", true, "a lost connection is tried again every half second"},
    {"--metrics-client", false, "the result holds the figures of every connection"},
    {"--metrics-class-loader", false, "there is no Java here"},
    {"--metrics-jvm-memory", false, "there is no Java here"},
    {"--metrics-jvm-gc", false, "there is no Java here"},
    {"--metrics-jvm-thread", false, "there is no Java here"},
    {"--metrics-processor", false, "CPU and memory of every process are measured anyway"},
    {"--use-default-ssl-context", false, "the system's certificates are the default"},
});

constexpr char kNoDatadog[] = "leave it out; brokerlab export --format openmetrics makes a file to be read";
constexpr char kMerge[] = "start several runs, and make one result of them: brokerlab merge";
constexpr char kToken[] = "fetch the token yourself; it is the password of the URI";

// Refused, because without them the run would be another one than was asked for.
constexpr auto kRefused = std::to_array<Untaken>({
    {"--queue-file", true, "write the names into the file that --save-experiment makes, or use -qp"},
    {"--disable-connection-recovery", false,
     "a lost connection comes back, and the flag RECONNECT tells that it was away; leave the option out"},
    {"--exposed-metrics", true, "leave it out; what a run must reach is a threshold: --set 'thresholds=[…]'"},
    {"--metrics-help", false, "docs/metrics.md explains every figure"},
    {"--environment-variables", false, "--help names the environment variable of every option"},
    {"--sasl-external", false,
     "say it in the URI: amqps://host/?certfile=c.pem&keyfile=k.pem&auth_mechanism=external"},
    {"--server-name-indication", true, "say it in the URI: amqps://host/?server_name_indication=NAME"},
    {"--expected-instances", true, kMerge},
    {"--instance-sync-namespace", true, kMerge},
    {"--instance-sync-timeout", true, kMerge},
    {"--oauth2-token-endpoint", true, kToken},
    {"--oauth2-client-id", true, kToken},
    {"--oauth2-client-secret", true, kToken},
    {"--oauth2-grant-type", true, kToken},
    {"--oauth2-parameters", true, kToken},
    {"--metrics-prometheus-endpoint", true, "leave it out; it is /metrics"},
    {"--metrics-prefix", true, "leave it out; the names are those of OpenTelemetry"},
    {"--metrics-jmx", false, "there is no Java here; leave it out"},
    {"--metrics-datadog", false, kNoDatadog},
    {"--metrics-datadog-api-key", true, kNoDatadog},
    {"--metrics-datadog-step-size", true, kNoDatadog},
    {"--metrics-datadog-application-key", true, kNoDatadog},
    {"--metrics-datadog-host-tag", true, kNoDatadog},
    {"--metrics-datadog-descriptions", false, kNoDatadog},
    {"--metrics-datadog-uri", true, kNoDatadog},
    {"--metrics-command-line-arguments", true, "the result holds the command line; leave it out"},
});

class OptionGroup {
 public:
  explicit OptionGroup(CLI::App& command) : command_(command) {}

  template <class Value>
  CLI::Option* add(const std::string& names, Value& value, const std::string& description) {
    return add_option(command_, names, value, description)->group(kGroup);
  }
  void add_flag(const std::string& names, bool& value, const std::string& description) {
    add_switch(command_, names, value, description)->group(kGroup);
  }
  void add_words(const std::string& names, std::vector<std::string>& words, const std::string& description) {
    add(names, words, description)->delimiter(',');
  }

 private:
  CLI::App& command_;
};

void add_who_and_where(OptionGroup& group, PlainLoad& plain) {
  const CLI::Range connections(0, 10000), channels(1, 2000);
  group.add("-x,--producers", plain.producers, "connections that publish")->check(connections);
  group.add("-y,--consumers", plain.consumers, "connections that consume")->check(connections);
  group.add("-X,--producer-channel-count", plain.producer_channels, "publishers on each of them")
      ->check(channels);
  group.add("-Y,--consumer-channel-count", plain.consumer_channels, "consumers on each of them")
      ->check(channels);
  group.add("-u,--queue", plain.queue, "name of the queue");
  group.add("--queue-pattern", plain.queue_pattern, "-qp: names of several queues, e.g. work-%d");
  group.add("--queue-pattern-from", plain.queue_from, "-qpf: first number")->check(CLI::NonNegativeNumber);
  group.add("--queue-pattern-to", plain.queue_to, "-qpt: last number")->check(CLI::NonNegativeNumber);
  group.add_words("--queue-args", plain.queue_arguments, "-qa: arguments, e.g. x-max-length=10");
  group.add_flag("--quorum-queue", plain.quorum, "-qq: quorum queues");
  group.add_flag("--stream-queue", plain.stream, "-sq: streams");
  group.add("--auto-delete", plain.auto_delete, "-ad: queues that go with their last consumer");
  group.add_flag("-E,--exclusive", plain.exclusive,
                 "queues that belong to the connection that consumes them");
  group.add_flag("-p,--predeclared", plain.predeclared, "queues and exchange are there already");
  group.add("--max-length-bytes", plain.max_length_bytes, "-mlb: most bytes in a queue");
  group.add("--stream-max-segment-size-bytes", plain.max_segment_bytes, "-smssb: of a stream");
  group.add("--leader-locator", plain.leader_locator, "-ll: client-local or balanced")
      ->check(CLI::IsMember({"client-local", "balanced"}));
  group.add("--max-age", plain.max_age, "-ma: of messages in a stream, e.g. 10m");
  group.add("-e,--exchange", plain.exchange, "exchange; the default exchange without -e, -t, -k and -K");
  group.add("-t,--type", plain.type, "its type; direct");
  group.add("-k,--routing-key", plain.routing_key, "routing key of messages and bindings");
  group.add_flag("-K,--random-routing-key", plain.random_routing_key, "a random key for every message");
  group
      .add("--routing-key-cache-size", plain.routing_key_cache, "-rkcs: so many random keys, again and again")
      ->check(CLI::Range(0, 100000));
  group.add_flag("--skip-binding-queues", plain.skip_binding, "-sb: bind nothing");
}

void add_publishing(OptionGroup& group, PlainLoad& plain) {
  group.add("-P,--publishing-interval", plain.publishing_interval, "seconds between two messages")
      ->check(CLI::PositiveNumber);
  group.add_words("--variable-rate", plain.variable_rate, "-vr: RATE:SECONDS, one after the other");
  group.add_words("--variable-size", plain.variable_size, "-vs: BYTES:SECONDS, one after the other");
  group.add("-m,--ptxsize", plain.producer_transaction, "publish in transactions of so many messages")
      ->check(CLI::Range(0, 100000));
  group
      .add("--producer-random-start-delay", plain.random_start_delay,
           "-prsd: seconds within which publishers start at random")
      ->check(CLI::PositiveNumber);
  group.add("-s,--size", plain.size, "bytes of a body; 12")->check(CLI::Range(0, 134217728));
  group.add_words("-B,--body", plain.body_files, "files of text to send");
  group.add_flag("--json-body", plain.json_body, "-jb: bodies of --size bytes are random JSON documents");
  group.add("--body-count", plain.body_count, "-bc: so many of them, in turn; 100")
      ->check(CLI::Range(1, 100000));
  group.add("--body-field-count", plain.body_fields, "-bfc: so many names of fields occur in them; 1000")
      ->check(CLI::Range(1, 100000));
  group.add("-T,--body-content-type", plain.content_type, "content type of messages");
  group.add_flag("--verify", plain.verify, "compare every body that arrives with what was sent");
  group.add("-f,--flag", plain.flags, "persistent; mandatory, which is always on");
  group.add_words("--message-properties", plain.properties, "-mp: e.g. priority=5; others are headers");
  group.add("-c,--confirm", plain.confirm, "most unconfirmed messages; no confirms without it")
      ->check(CLI::Range(-1, 1000000));
  group.add("-C,--pmessages", plain.producer_messages, "messages of each publisher");
  group
      .add("-D,--cmessages", plain.consumer_messages,
           "messages of each consumer: as many are published as they take")
      ->check(CLI::NonNegativeNumber);
}

void add_consuming(OptionGroup& group, PlainLoad& plain) {
  group.add_flag("-a,--autoack", plain.auto_ack, "automatic acknowledgement");
  group.add("-A,--multi-ack-every", plain.multi_ack, "acknowledge so many at once")
      ->check(CLI::NonNegativeNumber);
  group.add("-q,--qos", plain.prefetch, "prefetch limit of each consumer")->check(CLI::Range(0, 65535));
  group.add("-Q,--global-qos", plain.global_prefetch, "prefetch limit of each channel")
      ->check(CLI::Range(0, 65535));
  group.add("-R,--consumer-rate", plain.consumer_rate, "most messages per second of each consumer")
      ->check(CLI::PositiveNumber);
  group.add("-n,--ctxsize", plain.consumer_transaction, "acknowledge in transactions of so many")
      ->check(CLI::Range(0, 100000));
  group.add_flag("--nack", plain.nack, "-na: refuse every message once");
  group.add("--requeue", plain.requeue, "-re: give refused messages back; true");
  group.add_flag("-S,--slow-start", plain.slow_start, "consumers start a second apart");
  group.add("--consumer-start-delay", plain.consumer_start_delay, "-csd: seconds before consumers start")
      ->check(CLI::PositiveNumber);
  group.add_words("--variable-latency", plain.variable_latency, "-vl: MICROSECONDS:SECONDS of work");
  group.add("-L,--consumer-latency", plain.consumer_latency, "work of each message, in microseconds")
      ->check(CLI::NonNegativeNumber);
  group.add_flag("--polling", plain.polling, "-po: basic.get instead of subscribing");
  group.add("--polling-interval", plain.polling_interval, "-pi: milliseconds between two of them")
      ->check(CLI::NonNegativeNumber);
  group.add_words("--consumer-args", plain.consumer_arguments, "-ca: e.g. x-priority=10");
  group.add("--stream-consumer-offset", plain.stream_offset, "-sco: first, last, next or a number");
  group.add("-z,--time", plain.seconds, "seconds; 10, or as long as -C takes")->check(CLI::PositiveNumber);
  group.add("-b,--heartbeat", plain.heartbeat, "seconds")->check(CLI::NonNegativeNumber);
}

}  // namespace

void add_plain_load_options(CLI::App& command, PlainLoad& plain) {
  OptionGroup group(command);
  add_who_and_where(group, plain);
  add_publishing(group, plain);
  add_consuming(group, plain);
  const auto add_hidden = [&](const Untaken& option) {
    CLI::Option* added = option.has_value ? command.add_option(option.names) : command.add_flag(option.names);
    return added->group("")->description(option.reason);  // "": not in the help
  };
  for (const Untaken& option : kUnneeded) add_hidden(option);
  for (const Untaken& option : kRefused) {
    add_hidden(option)->each([name = std::string(option.names), reason = option.reason](const std::string&) {
      throw Error("this option of PerfTest is not taken", name, reason, ExitStatus::kUsage);
    });
  }
}

std::vector<std::string> given_plain_load_options(const CLI::App& command) {
  std::vector<std::string> given;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group() == kGroup && option->count() > 0) given.push_back(option->get_name());
  }
  return given;
}

std::vector<std::string> notes_on_options(const CLI::App& command) {
  std::vector<std::string> notes;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty() && option->count() > 0)
      notes.push_back("--" + option->get_lnames().front() + " is not needed: " + option->get_description());
  }
  return notes;
}

std::vector<std::string> with_long_names(std::vector<std::string> words) {
  if (words.size() < 2 || words[1] != "load") return words;
  for (std::string& word : words) {
    for (const LongName& known : kLongNames) {
      if (word.size() > 1 && word[0] == '-' && word.compare(1, std::string::npos, known.letters) == 0)
        word = std::string("--") + known.name;
    }
  }
  return words;
}

std::vector<std::pair<std::string, std::string>> perftest_names() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const LongName& known : kLongNames) names.emplace_back(known.letters, known.name);
  return names;
}

}  // namespace brokerlab
