# METADATA
# title: Databases of a plan
# description: |
#   A database is an instance, or a cluster with instances of its own: some of what is asked of it stands in the
#   one, some in the other.
package lib.databases

import data.lib.plan

# METADATA
# description: What holds the data.
stores := plan.of_type("aws_db_instance") | plan.of_type("aws_rds_cluster")

# METADATA
# description: What is connected to.
instances := plan.of_type("aws_db_instance") | plan.of_type("aws_rds_cluster_instance")

# METADATA
# description: A replica takes its encryption, its parameters and its backups from what it copies.
is_replica(rc) if {
	some attribute in ["replicate_source_db", "replication_source_identifier"]
	plan.state(rc, attribute) in {"known", "unknown"}
}
