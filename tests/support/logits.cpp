// rapt_logits MODEL < lines of token ids: the outputs of the network's heads for each line, f32 on standard output. For
// the checks against other programs (scripts/interop), which could otherwise not compare whole distributions. A line
// may continue with "|" and the segments of its tokens or, for an encoder-decoder, with the tokens of the source.
//
//     GPT, encoder-decoder  [tokens, vocabulary]: the scores of every next token
//     BERT           [tokens, width]: its states
//     pretraining    [tokens, vocabulary]: every word's scores, then the two of the next sentence
//     tag, qa        [tokens, outputs]
//     other tasks    [outputs]
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "autograd/ops/linear.h"
#include "train/files/hugging_face.h"
#include "train/files/pretrained.h"

namespace rapt {

static std::vector<std::int32_t> ids_of(const std::string& text) {
  std::vector<std::int32_t> ids;
  std::istringstream in(text);
  for (std::int32_t id = 0; in >> id;) ids.push_back(id);
  return ids;
}

static Batch one_sequence(const std::string& line, bool has_source) {
  const std::size_t bar = line.find('|');
  const std::vector<std::int32_t> tokens = ids_of(line.substr(0, bar));
  const std::vector<std::int32_t> other =
      bar == std::string::npos ? std::vector<std::int32_t>() : ids_of(line.substr(bar + 1));
  const auto N = static_cast<Dim>(tokens.size());
  Batch batch{.input = make_stream(std::vector<Dim>{N}, tokens, has_source ? std::vector<std::int32_t>() : other),
              .targets = {.rows = all_rows(N), .ids = Tensor::zeros({N}, DType::kI32)}};
  if (has_source) batch.source = make_stream(std::vector<Dim>{static_cast<Dim>(other.size())}, other);
  return batch;
}

static std::vector<Tensor> outputs_of(const AnyNetwork& network, const Batch& batch) {
  Context ctx;
  if (const auto* task = network.as<TaskNetwork>()) return {task->logits(batch)};
  if (const auto* pretraining = network.as<BertPretraining>()) {
    std::vector<Tensor> outputs = {pretraining->word_logits(batch.input, batch.targets.rows)};
    if (pretraining->has_next_sentence()) outputs.push_back(pretraining->scores(batch).next_sentence);
    return outputs;
  }
  if (network.config().objective == Objective::kNone) return {network.backbone().states(batch, ctx).value()};
  const auto pass = network.backbone().next_token()->states_and_head(batch, ctx);
  return {linear(pass.states, pass.head, pass.bias).value()};
}

static AnyNetwork open(const std::string& model) {
  if (std::filesystem::exists(model + "/config.json")) return std::move(read_hugging_face(model).network);
  return std::move(*open_pretrained(model).network);
}

static void write_logits(const std::string& model) {
  const NoGrad no_grad;
  const AnyNetwork network = open(model);
  const bool has_source = network.config().objective == Objective::kTargetText;
  for (std::string line; std::getline(std::cin, line);) {
    for (const Tensor& output : outputs_of(network, one_sequence(line, has_source))) {
      std::fwrite(output.raw(), 1, output.bytes(), stdout);
    }
  }
}

}  // namespace rapt

int main(int count, char** arguments) {
  try {
    if (count != 2) throw std::invalid_argument("usage: rapt_logits MODEL < IDS");
    rapt::write_logits(arguments[1]);
    return std::fflush(stdout) == 0 ? 0 : 74;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rapt_logits: %s\n", error.what());
    return 1;
  }
}
