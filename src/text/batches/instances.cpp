#include "text/batches/instances.h"

#include <fmt/format.h>

#include <string>

#include "io/names.h"
#include "tensor/error.h"

namespace rapt {

// Lengths are stored in 16 bits.
static constexpr Dim kLeastContext = 5, kMostContext = 65536;

static constexpr std::pair<InstanceTask, const char*> kTaskNames[] = {{InstanceTask::kMlm, "mlm"},
                                                                      {InstanceTask::kMlmNsp, "mlm-nsp"}};

const char* name_of(InstanceTask task) { return name_in(kTaskNames, task); }

InstanceTask instance_task_named(std::string_view name) { return value_named(name, kTaskNames, "instances: the task"); }

InstanceOptions default_instance_options(InstanceTask task) {
  InstanceOptions options{.task = task};
  if (task == InstanceTask::kMlm) {
    options.passes = 1;
    options.short_probability = 0;
  }
  return options;
}

void require_instance_options(const InstanceOptions& options) {
  const auto fail = [](const std::string& what, auto value) {
    throw UsageError(fmt::format("instances: {}, got {}", what, value));
  };
  if (options.context < kLeastContext || options.context > kMostContext) {
    fail("the context must be from 5 to 65536 tokens", options.context);
  }
  if (options.passes < 1 || options.passes > 10000) {
    fail("the passes over the text must be from 1 to 10000", options.passes);
  }
  if (!(options.short_probability >= 0 && options.short_probability <= 1)) {
    fail("the probability of short instances must be from 0 to 1", fmt::format("{:g}", options.short_probability));
  }
  if (options.document_lines < 1) fail("the lines of a document must be at least 1", options.document_lines);
}

}  // namespace rapt
