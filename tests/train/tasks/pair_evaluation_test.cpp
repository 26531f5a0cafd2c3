#include "train/tasks/pair_evaluation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <string>

#include "nn/models/any_network.h"
#include "support/parallel_corpus.h"
#include "support/small_networks.h"
#include "text/text_fixture.h"
#include "text/tokenizer/training/tokenizer_trainer.h"

using namespace rapt;

TEST_CASE("the loss of pairs is the mean over all target tokens, whatever the batches") {
  const TemporaryFolder folder;
  const testing::ParallelCorpus corpus = testing::parallel_corpus(1500);
  const std::string source = write_in(folder, "a.en", corpus.source), target = write_in(folder, "a.xx", corpus.target);
  TokenizerTrainer trainer({.type = TokenizerType::kWord, .special = pair_special_tokens()});
  trainer.add_text(corpus.source + corpus.target);
  const auto tokenizer = trainer.train();
  const PairStore store = build_pair_store(PairCorpus({.sources = {source}, .targets = {target}}), nullptr,
                                           {*tokenizer, *tokenizer}, folder / "d.h5", {.validation_fraction = 0.5});
  TransformerConfig config = testing::small_transformer();
  config.vocabulary = tokenizer->vocabulary_size();
  config.source_vocabulary = 0;
  config.context = 64;
  Initializer init(1);
  AnyNetwork network({.backbone = config, .objective = Objective::kTargetText}, init);
  const LanguageModel& model = *network.as<LanguageModel>();

  const PairFrame frame{.start = 0, .end = 2};
  std::vector<Dim> pairs(750);
  std::iota(pairs.begin(), pairs.end(), 750);
  double sum = 0;
  const Tensor each = model.log_probabilities(make_pair_batch(store, pairs, frame));
  for (const float p : each.span<float>()) sum -= static_cast<double>(p);
  const Evaluation all = evaluate_pairs(model, store, Part::kValidation, frame);
  CHECK(all.targets == store.tokens(Part::kValidation, PairSide::kTarget) + 750);
  CHECK(all.loss == doctest::Approx(sum / static_cast<double>(each.size())).epsilon(1e-6));
  CHECK(all.metrics.front().first == "perplexity");
  CHECK(all.metrics.front().second == doctest::Approx(std::exp(all.loss)));
  CHECK(all.score == -all.loss);
  CHECK(all.share == 1);

  const Evaluation part = evaluate_pairs(model, store, Part::kValidation, frame, 5000);
  CHECK(part.share < 0.8);
  CHECK(part.loss == evaluate_pairs(model, store, Part::kValidation, frame, 5000).loss);
  CHECK(evaluate_pairs(model, store, Part::kTrain, frame).targets ==
        store.tokens(Part::kTrain, PairSide::kTarget) + 750);
}
