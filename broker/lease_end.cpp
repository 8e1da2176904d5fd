#include "broker/lease_end.h"

#include <algorithm>

#include "broker/topology.h"
#include "core/error.h"

namespace brokerlab {

Management::Vhost ownership_of(const LeaseRecord& record) {
  return {record.vhost,
          "made by brokerlab for run " + record.run_id + ", deleted at its end",
          {"brokerlab", record.run_id}};
}

void end_vhost_lease(const LeaseRecord& record, Management& management) {
  const Management::Vhost ours = ownership_of(record);
  const auto found = management.vhost(record.vhost);
  if (found) {
    const bool tagged = std::all_of(ours.tags.begin(), ours.tags.end(), [&](const std::string& tag) {
      return std::find(found->tags.begin(), found->tags.end(), tag) != found->tags.end();
    });
    if (!tagged) {
      throw Error("vhost " + record.vhost + " does not carry our tags: it was left alone", record.broker,
                  "see who made it; delete it yourself if nobody needs it");
    }
    management.delete_vhost(record.vhost);
  }
  management.delete_user(record.user);
}

void end_prefix_lease(const LeaseRecord& record, const std::string& uri, bool tls_insecure) {
  if (record.queues.empty() && record.exchanges.empty()) return;
  DeclarationOptions options;
  options.tls_insecure = tls_insecure;
  remove_named(record.queues, record.exchanges, uri, options);
}

}  // namespace brokerlab
