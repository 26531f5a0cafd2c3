// The output of rapt attention: recorded attention as a page for a browser, or as numbers.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "nn/attention_record.h"

namespace rapt::app {

/// One text, or a pair of texts, and the attention of a network that read it.
struct AttentionExample {
  std::vector<std::string> encoder;    ///< tokens that the encoder read; empty: there is none
  std::vector<std::string> decoder;    ///< tokens that the decoder read; empty: there is none
  std::vector<std::string> predicted;  ///< what is predicted at each of these, for networks with both
  std::vector<AttentionMap> maps;      ///< of one sequence, in any order
};

/// A page that needs no other files and no network: all numbers, with 16 bits each, and the code that draws them.
std::string attention_page(const std::string& model, const std::vector<AttentionExample>& examples);

/// {"encoder": [tokens], "decoder": [tokens], "predicted": [tokens], "attention": [{"kind", "layer", "weights":
/// [H][T][S]}], "rollout": {kind: [L][T][T]}}, weights with six decimal places.
Json attention_json(const AttentionExample& example);

}  // namespace rapt::app
