// A GPT of 27,000 parameters learns one sentence, byte by byte, and generates it.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "decode/generate.h"
#include "decode/gpt_decoder.h"
#include "nn/models/gpt.h"
#include "nn/models/language_model.h"
#include "tensor/batch.h"
#include "train/optimise/gradient_sum.h"
#include "train/optimise/optimizer.h"
#include "train/optimise/parameters.h"

using namespace rapt;

// All of `text` except its last byte; each position predicts the next byte.
static Batch next_byte_batch(const std::string& text) {
  const std::vector<std::int32_t> bytes(text.begin(), text.end());
  const Dim N = static_cast<Dim>(bytes.size()) - 1;
  const std::vector<Dim> lengths = {N};  // one sequence; several would be laid end to end
  return {.input = make_stream(lengths, {bytes.begin(), bytes.end() - 1}),
          .targets = {.rows = all_rows(N),  // every row is predicted
                      .ids = Tensor::from(std::vector<std::int32_t>(bytes.begin() + 1, bytes.end()), {N})}};
}

int main() {
  const std::string text = "the cat sat on the mat, the dog lay in the sun, and neither of them said a word.";
  const Batch batch = next_byte_batch(text);

  Initializer init(/*seed=*/1);
  const GptConfig config{.vocabulary = 128, .context = 128, .width = 32, .layers = 1, .heads = 2};
  LanguageModel model(std::make_unique<Gpt>(config, init));
  FlatParameters parameters(model);
  Optimizer optimizer(parameters, {.kind = OptimizerKind::kAdamW, .weight_decay = 0.01});

  const int updates = 150;
  for (int update = 1; update <= updates; ++update) {
    Context ctx{.training = true, .seed = 1, .update = static_cast<std::uint64_t>(update)};
    const Variable loss = model.loss(batch, {.targets = static_cast<double>(batch.targets.count())}, ctx);
    backward(loss);
    optimizer.update(/*learning_rate=*/1e-2, clip_factor(gradient_norm(parameters), 1.0));
    if (update % 50 == 0) std::printf("update %3d: loss %.4f nats per byte\n", update, loss.value().item());
  }

  const std::string prompt = "the cat";
  GenerateOptions options;
  options.max_tokens = static_cast<std::int64_t>(text.size() - prompt.size());
  options.sampling.greedy = true;
  GptDecoder decoder(gpt_of(model), 1);
  const Generated generated = generate(decoder, {{prompt.begin(), prompt.end()}}, options).front();
  const std::string said = prompt + std::string(generated.tokens.begin(), generated.tokens.end());
  std::printf("%s\n", said.c_str());
  return said == text ? 0 : 1;
}
