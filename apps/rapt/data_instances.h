// The options and output of `rapt data` for instances, the sequences of masked language models.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "options.h"
#include "text/batches/token_store.h"

namespace rapt::app {

/// `--task` and all options that only apply to mlm and mlm-nsp.
std::vector<Option> instance_options();

/// Applies the given ones of these options. \throws UsageError  for one that does not fit the task
void read_instance_options(const Arguments& arguments, TokenStoreOptions& options);

/// Statistics of the sequences of a part. \throws DataError  for a damaged file
struct InstanceCounts {
  Dim sequences = 0;
  double mean_length = 0;  ///< in tokens, including special tokens
  double random_next = 0;  ///< share
};
InstanceCounts count_instances(const TokenStore& store, Part part);

Json instances_json(const TokenStore& store);
std::string instances_table(const TokenStore& store);

/// The first sequences of a part as models see them: each predicted token is followed by the original one in brackets.
/// \param most  maximum number of tokens of each
std::string show_instances(const TokenStore& store, const Tokenizer& tokenizer, Part part, Dim count, Dim most);

}  // namespace rapt::app
