// rapt_hugging_face random KIND OUT: a small network with random weights as a Hugging Face directory. rapt_hugging_face
// copy DIRECTORY OUT: a directory, read and written again. For the checks against transformers (scripts/interop). KIND
// is a task after a backbone's name, gpt1, gpt2, gpt_neox or bert: "bert classify"; for bert also encoder, pretraining
// and masked-lm; or marian, bart, mbart or pegasus.
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>

#include "nn/models/bert.h"
#include "nn/models/gpt.h"
#include "small_networks.h"
#include "train/files/hugging_face.h"
#include "train/settings/task_words.h"

namespace rapt {

static NetworkConfig bert_of(const std::string& head) {
  BertConfig c = testing::of_size({97, 32, 24, 2, 3}, BertConfig());
  c.feed_forward = 40;
  c.init_std = 0.3;
  if (head == "encoder") return {.backbone = c, .objective = Objective::kNone};
  if (head == "pretraining") return {.backbone = c, .objective = Objective::kMaskedWordsNextSentence};
  if (head == "masked-lm") return {.backbone = c, .objective = Objective::kMaskedWords};
  return with_task_head({.backbone = c}, task_named(head), head == "regress" ? 1 : 3);
}

static NetworkConfig gpt_of(const GptConfig& config, const std::string& head) {
  GptConfig c = testing::of_size({97, 32, 24, 2, 3}, config);
  c.init_std = 0.3;
  return with_task_head({.backbone = c}, task_named(head), head == "regress" ? 1 : 3);
}

static GptConfig backbone_named(const std::string& name) {
  if (name == "gpt1") return GptConfig::gpt1();
  GptConfig c = GptConfig::gpt2();
  if (name == "gpt_neox") c.positions = PositionKind::kRotary;
  return c;
}

static NetworkConfig encoder_decoder_of(const std::string& kind) {
  TransformerConfig c = testing::small_transformer();
  c.vocabulary = 97;
  c.context = 32;
  c.width = 24;
  const bool learned = kind == "bart" || kind == "mbart";
  c.norm = kind == "mbart" || kind == "pegasus" ? NormPlacement::kPre : NormPlacement::kPost;
  c.positions = learned ? PositionKind::kLearned : PositionKind::kSinusoidalHalves;
  c.position_offset = learned ? 2 : 0;
  c.embedding_norm = learned;
  c.embedding_scale = !learned;
  c.head_bias = HeadBias::kTrained;
  if (kind == "marian") c.source_vocabulary = 89;
  if (kind == "bart") c.tied_head = false;
  return {.backbone = c, .objective = Objective::kTargetText};
}

static NetworkConfig network_named(const std::string& backbone, const std::string& head) {
  if (head.empty()) return encoder_decoder_of(backbone);
  return backbone == "bert" ? bert_of(head) : gpt_of(backbone_named(backbone), head);
}

static void write_random(const std::string& kind, const std::string& out) {
  std::istringstream words(kind);
  std::string backbone, head;
  words >> backbone >> head;
  const NetworkConfig config = network_named(backbone, head);
  Initializer init(1);
  AnyNetwork network(config, init);
  for (NamedParameter& p : parameters_of(network.module())) {  // also biases, which start at zero, and gains
    if (p.variable.shape().rank() != 1) continue;
    Rng rng(random_key(1, Purpose::kText, std::hash<std::string>()(p.name)));
    for (float& x : p.variable.value().span<float>()) x += static_cast<float>(0.2 * rng.normal());
  }
  write_hugging_face(network.module(), {.network = network.config()}, {}, out);
}

static void copy(const std::string& directory, const std::string& out) {
  HuggingFaceModel model = read_hugging_face(directory);
  const HuggingFaceConfig config{.network = model.network.config(), .labels = model.labels};
  write_hugging_face(model.network.module(), config, {}, out);
}

}  // namespace rapt

int main(int count, char** arguments) {
  try {
    const std::string verb = count == 4 ? arguments[1] : "";
    if (verb != "random" && verb != "copy") {
      throw std::invalid_argument("usage: rapt_hugging_face random|copy KIND|DIRECTORY OUT");
    }
    (verb == "random" ? rapt::write_random : rapt::copy)(arguments[2], arguments[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rapt_hugging_face: %s\n", error.what());
    return 1;
  }
}
