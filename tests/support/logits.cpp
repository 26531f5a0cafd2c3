// rapt_logits MODEL < lines of token ids: the scores of every next token, [tokens, vocabulary] f32 for line after line,
// on standard output. For the checks against other programs (scripts/interop), which have nothing to compare a whole
// distribution with otherwise.
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "train/pretrained.h"

namespace rapt {

static Batch one_sequence(const std::string& line) {
  std::vector<std::int32_t> tokens, positions;
  std::istringstream in(line);
  for (std::int32_t id = 0; in >> id;) tokens.push_back(id);
  const Dim N = static_cast<Dim>(tokens.size());
  for (std::int32_t i = 0; i < N; ++i) positions.push_back(i);
  Batch batch;
  batch.layout = pack_lengths(std::vector<Dim>{N});
  batch.tokens = Tensor::from(tokens, {N});
  batch.positions = Tensor::from(positions, {N});
  return batch;
}

static void write_logits(const std::string& model) {
  const NoGrad no_grad;
  const Pretrained pretrained = open_pretrained(model);
  for (std::string line; std::getline(std::cin, line);) {
    Context ctx;
    const Variable logits = pretrained.model->logits(pretrained.model->states(one_sequence(line), ctx));
    std::fwrite(logits.value().raw(), 1, logits.value().bytes(), stdout);
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
