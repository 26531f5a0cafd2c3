// What `rapt data` knows of instances, the sequences that masked language models are trained on.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "options.h"
#include "text/batches/token_store.h"

namespace rapt::app {

/// `--task` and all that only concerns mlm and mlm-nsp.
std::vector<Option> instance_options();

/// Adds what was typed of these. \throws UsageError  one that does not fit the task
void read_instance_options(const Arguments& arguments, TokenStoreOptions& options);

/// The sequences of a part, counted. \throws DataError  a damaged file
struct InstanceCounts {
  Dim sequences = 0;
  double mean_length = 0;  ///< tokens, the frame included
  double random_next = 0;  ///< share
};
InstanceCounts count_instances(const TokenStore& store, Part part);

nlohmann::ordered_json instances_json(const TokenStore& store);
std::string instances_table(const TokenStore& store);

/// The first sequences of a part as models see them: each predicted token followed by what stood there, in brackets.
/// \param most  tokens of each
std::string show_instances(const TokenStore& store, const Tokenizer& tokenizer, Part part, Dim count, Dim most);

}  // namespace rapt::app
