#include "broker/lease_end.h"

#include <algorithm>

#include "broker/topology.h"
#include "core/error.h"

namespace brokerlab {
namespace {

bool carries(const std::vector<std::string>& tags, const std::vector<std::string>& ours) {
  return std::all_of(ours.begin(), ours.end(), [&](const std::string& tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  });
}

}  // namespace

Management::Vhost ownership_of(const LeaseRecord& record) {
  return {record.vhost,
          "made by brokerlab for run " + record.run_id + ", deleted at its end",
          {"brokerlab", record.run_id}};
}

void end_vhost_lease(const LeaseRecord& record, Management& management) {
  const std::vector<std::string> ours = ownership_of(record).tags;
  const auto user = management.user(record.user);
  if (user && carries(user->tags, ours)) management.delete_user(record.user);
  const auto vhost = management.vhost(record.vhost);
  if (!vhost) return;
  if (!carries(vhost->tags, ours)) {
    throw Error("vhost " + record.vhost + " does not carry our tags: it was left alone", record.broker,
                "see who made it; delete it yourself if nobody needs it");
  }
  management.delete_vhost(record.vhost);
}

void end_prefix_lease(const LeaseRecord& record, const std::string& uri, bool tls_insecure) {
  if (record.queues.empty() && record.exchanges.empty()) return;
  DeclarationOptions options;
  options.tls_insecure = tls_insecure;
  remove_named(record.queues, record.exchanges, uri, options);
}

}  // namespace brokerlab
