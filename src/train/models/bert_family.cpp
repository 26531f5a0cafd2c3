// BERTs: encoders.
#include "nn/models/bert.h"
#include "tensor/error.h"
#include "train/models/family.h"
#include "train/models/transformer_settings.h"

namespace rapt {
namespace {

void check_bert(const TrainConfig& c) {
  const auto require = [](bool holds, const std::string& message) {
    if (!holds) throw UsageError(message);
  };
  require(c.position == "learned", "--model bert has learned positions, got --position " + c.position);
  require(!c.parallel_residual, "--parallel-residual requires --model gpt2, got --model bert");
  require(c.language_model_weight == 0,
          "--language-model-weight requires --model gpt1 or gpt2, which predict the next token, got --model bert");
  require(c.bias && c.tie, "--model bert has bias terms and a tied head, got --bias off or --tie off");
}

BackboneConfig bert_backbone(const TrainConfig& config, VocabularySizes vocabulary) {
  BertConfig c;
  give_transformer_settings(c, config, vocabulary.target);
  c.segments = config.segments;
  c.hidden_dropout = config.residual_dropout_rate();
  c.attention_dropout = config.attention_dropout_rate();
  c.pooler = config.pooler;
  c.neighbours = config.attention_start == "neighbours";
  check(c);
  return c;
}

void take_bert_structure(TrainConfig& config, const BackboneConfig& backbone) {
  const BertConfig& c = *backbone.as<BertConfig>();
  take_transformer_settings(config, c);
  config.model = "bert";
  config.segments = c.segments;
  config.pooler = c.pooler;
}

void take_bert_dropouts(TrainConfig& config, const BackboneConfig& backbone) {
  const BertConfig& c = *backbone.as<BertConfig>();
  config.attention_dropout = c.attention_dropout;
  config.residual_dropout = c.hidden_dropout;
}

bool has_pooler(const TrainConfig& config) {
  BertConfig c{.pooler = config.pooler};
  const TaskWord& task = find_task_word(config.task);
  fit_to(c, task.objective, {.task = task.task.value_or(Task::kClassify)});
  return c.pooler;
}

ModelSize bert_size(const TrainConfig& config, VocabularySizes vocabulary, double length) {
  const Dim C = config.width, L = config.layers, T = config.context, V = vocabulary.target;
  const BlockSizes block = block_sizes(config, true);
  ModelSize size;
  size.per_block = block.whole();
  size.parts.emplace_back("token embeddings", V * C);
  size.parts.emplace_back("position embeddings", T * C);
  size.parts.emplace_back("segment embeddings", config.segments * C);
  size.parts.emplace_back("attention", L * block.attention);
  size.parts.emplace_back("feed-forward", L * block.feed_forward);
  size.parts.emplace_back("norms", (2 * L + 1) * block.norm);  // one after the embeddings
  if (has_pooler(config)) size.parts.emplace_back("pooler", C * C + C);
  if (config.masks_words()) size.in_heads = C * C + C + block.norm + V;
  if (config.objective() == Objective::kMaskedWordsNextSentence) size.in_heads += 2 * C + 2;
  finish_size(size, config, V, length, 1);
  return size;
}

}  // namespace

ModelFamily bert_family() {
  return {.names = {"bert"},
          .title = "BERT",
          .objectives = {Objective::kMaskedWordsNextSentence, Objective::kMaskedWords, Objective::kLabels,
                         Objective::kNone},
          .usual_task = "mlm-nsp",
          .framed_by_tokenizer = true,
          .has_attention_start = true,
          .known_vocabulary = {.entries = 30522, .name = "BERT's uncased vocabulary"},
          .parameters = {.embeddings = {"tokens.", "positions.", "segments.", "norm."}, .before_head = {"pooler."}},
          .check = check_bert,
          .backbone = bert_backbone,
          .owns = [](const BackboneConfig& backbone) { return backbone.as<BertConfig>() != nullptr; },
          .take_structure = take_bert_structure,
          .take_dropouts = take_bert_dropouts,
          .size = bert_size,
          .hugging_face = {bert_kind()}};
}

}  // namespace rapt
