// Training instances of masked language models: each refers to the stretches of a tokenised corpus that form one
// sequence. A file stores which stretches belong together (token_store.h); the masks are chosen when a batch is made
// (masking.h).
#pragma once

#include <cstdint>
#include <string_view>

#include "text/batches/token_range.h"

namespace rapt {

enum class InstanceTask {
  kMlm,     ///< `[CLS] A [SEP]`: RoBERTa's objective
  kMlmNsp,  ///< `[CLS] A [SEP] B [SEP]`, where B does or does not follow A: BERT's objective
};

/// "mlm", "mlm-nsp"
const char* name_of(InstanceTask task);
/// \throws UsageError
InstanceTask instance_task_named(std::string_view name);

/// How a corpus is made into instances (instance_builder.h).
struct InstanceOptions {
  InstanceTask task = InstanceTask::kMlmNsp;
  Dim context = 128;               ///< maximum number of tokens of a sequence, including special tokens
  Dim passes = 10;                 ///< passes over the training part, each with different pairs
  double short_probability = 0.1;  ///< share of instances with a random shorter target length
  Dim document_lines = 1;          ///< paragraphs with fewer lines are joined with the next one into one document
  std::uint64_t seed = 12345;
};

/// BERT's defaults for this task. For kMlm: RoBERTa's, one pass and no short instances.
InstanceOptions default_instance_options(InstanceTask task);

/// \throws UsageError  for impossible settings
void require_instance_options(const InstanceOptions& options);

/// Number of special tokens in a sequence: [CLS] and one [SEP] per stretch.
constexpr Dim frame_tokens(InstanceTask task) { return task == InstanceTask::kMlm ? 2 : 3; }

/// One sequence: stretches of a corpus' tokens.
struct Instance {
  TokenRange first = {}, second = {};  ///< kMlm: `second` is empty
  bool random_next = false;            ///< `second` does not follow `first`
};

/// Which tokens are predicted, and what replaces them: Devlin et al. 2019, "BERT", section 3.1.
struct MaskingOptions {
  double probability = 0.15;  ///< share of a sequence's tokens, including special tokens
  Dim most = 0;               ///< maximum number of them; 0: ceil(context * probability), which is 20 of 128
  bool whole_words = false;   ///< all tokens of a word or none
  bool dynamic = true;        ///< different tokens in each epoch; false: always the same for an instance
};

}  // namespace rapt
