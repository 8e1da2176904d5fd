#pragma once

#include <string>

#include "broker/journal.h"
#include "broker/management.h"

namespace brokerlab {

// How a lease on an external broker ends, for the lease itself and for cleanup after a killed run.

// Name, description and tags that mark the vhost (and the user) of a lease as ours.
Management::Vhost ownership_of(const LeaseRecord& record);

// Deletes the vhost and the user of a lease. Throws Error and leaves the vhost alone when its tags are not
// ours; gone already is no error.
void end_vhost_lease(const LeaseRecord& record, Management& management);

// Deletes the queues and exchanges in the record.
void end_prefix_lease(const LeaseRecord& record, const std::string& uri, bool tls_insecure);

}  // namespace brokerlab
