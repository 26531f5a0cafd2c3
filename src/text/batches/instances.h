// What masked-language models are trained on: instances, which name the stretches of a tokenised corpus that one
// sequence is made of. Which stretches belong together is fixed in a file (token_store.h); which of their words are
// masked is decided when a batch is made (masking.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "text/batches/token_range.h"

namespace rapt {

enum class InstanceTask {
  kMlm,     ///< `[CLS] A [SEP]`: RoBERTa's
  kMlmNsp,  ///< `[CLS] A [SEP] B [SEP]`, where B follows A or does not: BERT's
};

/// "mlm", "mlm-nsp"
const char* name_of(InstanceTask task);
/// \throws UsageError
InstanceTask instance_task_named(std::string_view name);

/// How a corpus is made into instances (instance_builder.h).
struct InstanceOptions {
  InstanceTask task = InstanceTask::kMlmNsp;
  Dim context = 128;               ///< most tokens of a sequence, its frame included
  Dim passes = 10;                 ///< how often the training part is gone through, each time with other pairs
  double short_probability = 0.1;  ///< share of instances that aim at a random shorter length
  Dim document_lines = 1;          ///< paragraphs of fewer lines are joined with the next into one document
  std::uint64_t seed = 12345;
};

/// BERT's defaults for this task. For kMlm, one pass and no short instances: RoBERTa's.
InstanceOptions default_instance_options(InstanceTask task);

/// \throws UsageError  settings that cannot be
void require_instance_options(const InstanceOptions& options);

/// Tokens of a sequence that stand round its text: [CLS] and one [SEP] for each stretch.
constexpr Dim frame_tokens(InstanceTask task) { return task == InstanceTask::kMlm ? 2 : 3; }

/// One sequence: stretches of a corpus' tokens.
struct Instance {
  TokenRange first = {}, second = {};  ///< kMlm: `second` is empty
  bool random_next = false;            ///< `second` does not follow `first`
};

/// Which tokens are predicted, and what stands in their place: Devlin et al. 2019, "BERT", section 3.1.
struct MaskingOptions {
  double probability = 0.15;  ///< share of a sequence's tokens, its frame included
  Dim most = 0;               ///< of them at most so many; 0: ceil(context * probability), which is 20 of 128
  bool whole_words = false;   ///< all tokens of a word or none
  bool dynamic = true;        ///< other tokens each epoch; false: the same ones each time an instance is seen
};

}  // namespace rapt
