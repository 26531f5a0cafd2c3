// Settings of the model and of fine-tuning.
#include "train/settings/setting_kinds.h"
#include "train/settings/setting_rows.h"

namespace rapt {

using namespace setting_kinds;
using Config = TrainConfig;

// Rows of a group from here on apply to models with attention blocks; end with another group().
static void blocks_only(SettingTable& t, std::string group) {
  t.group(
      std::move(group), [](const Config& c) { return c.has_heads(); }, "--model gpt2, gpt1, bert and transformer");
}

static void add_encoder_decoder(SettingTable& t) {
  const auto with_source = [&] {
    t.group(
        "encoder-decoder", [](const Config& c) { return c.has_source(); }, "--task translate and summarize");
  };
  const auto transformer_only = [&] {
    t.group(
        "encoder-decoder", [](const Config& c) { return c.has_source() && c.has_heads(); }, "--model transformer");
  };
  with_source();
  t.add(whole("decoder-layers", &Config::decoder_layers, 0, "decoder blocks or layers; 0: as many as --layers", 10000),
        {"dec-depth", "num-decoder-layers"});
  transformer_only();
  t.add(whole("decoder-heads", &Config::decoder_heads, 0, "attention heads per decoder block; 0: as many as --heads",
              10000),
        {"decoder-attention-heads"});
  t.add(whole("decoder-feed-forward", &Config::decoder_feed_forward, 0,
              "inner size of the decoder's feed-forward layers; 0: as --feed-forward", 1 << 24),
        {"decoder-ffn-dim", "decoder-ffn-embed-dim"});
  t.add(choice("norm", &Config::norm, {"post", "pre"},
               "norms after each addition to the residual, or before each sublayer",
               {{"post-norm", "post"}, {"pre-norm", "pre"}}),
        {"norm-placement"});
  t.add(on_off("embedding-norm", &Config::embedding_norm, "a norm after the embeddings"), {"layernorm-embedding"});
  t.add(
      on_off("embedding-scale", &Config::embedding_scale, "multiply token embeddings by the square root of the width"),
      {"scale-embedding"});
  t.add(choice("embedding-init", &Config::embedding_init, {"normal", "glorot"},
               "standard deviation of new tables: 1 / sqrt(width), or sqrt(2 / (rows + width))",
               {{"xavier", "glorot"}}));
  with_source();
  t.add(on_off("tie-source", &Config::tie_source,
               "with one vocabulary, use one table of token embeddings for source and target"),
        {"share-encoder-decoder-embeddings"});
  transformer_only();
  t.add(choice("head-bias", &Config::head_bias, {"off", "on", "fixed"},
               "bias of the output layer; fixed: not trained, as final_logits_bias of Hugging Face models"));
  t.add(whole("position-offset", &Config::position_offset, 0,
              "rows of the table of learned positions before the first position; 2 in BART", 1 << 16));
  t.add(number("activation-dropout", &Config::activation_dropout, kRate,
               "dropout inside the feed-forward layers; default 0"),
        {"relu-dropout", "ffn-dropout"});
  with_source();
  t.add(whole("start-token", &Config::start_token, 0, "id before the first token of a target text; written by rapt"),
        {"decoder-start-token-id"});
  t.add(whole("end-token", &Config::end_token, 0, "id after the last token of a text; written by rapt"),
        {"eos-token-id"});
  t.add(whole("pad-token", &Config::pad_token, 0, "id of padding, for other programs; written by rapt"),
        {"pad-token-id"});
  t.add(whole("forced-first-token", &Config::forced_first_token, -1,
              "id that every generated text starts with, such as a language; -1: none"),
        {"forced-bos-token-id"});
}

static void add_recurrent(SettingTable& t) {
  t.group(
      "recurrent", [](const Config& c) { return !c.has_heads(); }, "--model lstm and gru");
  t.add(whole("embedding-width", &Config::embedding_width, 0, "width of the token embeddings; 0: as --width", 1 << 20),
        {"word-vec-size", "emb-dim"});
  t.add(choice("attention", &Config::attention, {"none", "context", "additive", "dot", "general", "concat"},
               "what a decoder reads of its source: its last state once or at every step, or attention",
               {{"bahdanau", "additive"}, {"luong", "general"}, {"mlp", "concat"}}),
        {"global-attention", "attention-type"});
  t.add(on_off("input-feeding", &Config::input_feeding,
               "dot, general, concat: the decoder also reads the attention of the step before"),
        {"input-feed"});
  t.add(on_off("bidirectional", &Config::bidirectional, "the encoder reads its source in both directions"),
        {"brnn", "bidirectional-encoder"});
  t.add(number("init-range", &Config::init_range, kNotNegative,
               "new weights are uniform within plus and minus this; 0: 1 / sqrt(width)"),
        {"param-init"});
  t.add(number("init-std", &Config::init_std, kNotNegative,
               "new matrices are normal with this standard deviation and biases zero; 0: see --init-range"));
}

void add_model(SettingTable& t) {
  t.group("model");
  t.common(choice("model", &Config::model, {"gpt2", "gpt1", "bert", "transformer", "lstm", "gru"},
                  "GPT-2 (pre-norm), GPT-1 (post-norm), BERT, an encoder-decoder, or a recurrent network",
                  {{"openai-gpt", "gpt1"}, {"gpt", "gpt2"}}),
           {"model-type", "arch"});
  t.common(
      whole("layers", &Config::layers, 1, "blocks, or recurrent layers; of an encoder-decoder, the encoder's", 10000),
      {"n-layer", "n-layers", "num-layers", "num-hidden-layers", "depth"});
  blocks_only(t, "model");
  t.common(whole("heads", &Config::heads, 1, "attention heads per block", 10000),
           {"n-head", "n-heads", "num-heads", "num-attention-heads", "transformer-heads"});
  t.group("model");
  t.common(whole("width", &Config::width, 1, "size of the hidden states; a multiple of --heads", 1 << 20),
           {"n-embd", "d-model", "hidden-size", "dim-emb", "embedding-size"});
  blocks_only(t, "model");
  t.add(whole("feed-forward", &Config::feed_forward, 0, "inner size of the feed-forward layers; 0: four times --width",
              1 << 24),
        {"ffn", "n-inner", "d-ff", "intermediate-size", "transformer-dim-ffn"});
  t.group("model");
  t.common(
      whole("context", &Config::context, 1, "tokens per training sequence; also the longest sequence the model accepts",
            1 << 24),
      {"block-size", "n-ctx", "n-positions", "context-length", "max-seq-length", "max-seq-len", "seq-len", "max-len"});
  blocks_only(t, "model");
  t.add(choice("activation", &Config::activation,
               {"gelu", "gelu-tanh", "relu", "silu", "tanh", "sigmoid", "quick-gelu", "swiglu"},
               "activation of the feed-forward layers; gelu is the exact erf form, swiglu needs --model transformer",
               {{"gelu-new", "gelu-tanh"}, {"swish", "silu"}}),
        {"act", "activation-function", "hidden-act"});
  t.group("model");
  t.add(on_off("bias", &Config::bias, "bias terms in linear layers and norms"), {"use-bias"});
  t.add(on_off("tie", &Config::tie,
               "share the weights of the output layer with the token embeddings, where their widths are equal"),
        {"tie-word-embeddings", "tie-weights"});
  blocks_only(t, "model");
  t.add(choice("position", &Config::position, {"learned", "rope", "sinusoidal", "sinusoidal-halves"},
               "position encoding"),
        {"pos", "positions", "position-embedding-type"});
  t.add(number("rotary-base", &Config::rotary_base, kPositive, "rope: base of the rotation frequencies"),
        {"rope-theta", "rotary-emb-base"});
  t.add(number("rotary-share", &Config::rotary_share, {0, 1, false, true},
               "rope: share of each head's columns that are rotated"),
        {"rotary-pct", "partial-rotary-factor"});
  t.add(on_off("parallel-residual", &Config::parallel_residual,
               "attention and feed-forward both take the layer's input, as in GPT-NeoX"),
        {"use-parallel-residual"});
  t.add(whole("segments", &Config::segments, 1, "bert: number of segment types", 1 << 16), {"type-vocab-size"});
  t.add(on_off("pooler", &Config::pooler, "bert: add a dense layer over the first token for tasks on whole texts"));
  t.add(choice("attention-start", &Config::attention_start, {"random", "neighbours"},
               "bert: initial attention: random, or two heads that attend to neighbouring tokens"));
  t.add(number("norm-epsilon", &Config::norm_epsilon, kPositive, "constant added to the variance in norms"),
        {"norm-eps", "layer-norm-epsilon", "layer-norm-eps"});
  t.add(on_off("attention-scale", &Config::attention_scale,
               "divide attention scores by the square root of the head width"),
        {"scale-attn-weights"});
  t.add(on_off("attention-layer-scale", &Config::attention_layer_scale,
               "also divide them by the layer index, as GPT-2's scale_attn_by_inverse_layer_idx"),
        {"scale-attn-by-inverse-layer-idx"});
  t.group("model");
  t.common(number("dropout", &Config::dropout, kRate, "share of activations dropped during training"),
           {"dropout-rate", "drop"});
  t.add(
      number("embedding-dropout", &Config::embedding_dropout, kRate, "dropout after the embeddings; default --dropout"),
      {"emb-dropout", "embd-pdrop"});
  blocks_only(t, "model");
  t.add(
      number("attention-dropout", &Config::attention_dropout, kRate, "dropout of attention weights; default --dropout"),
      {"attn-dropout", "attn-pdrop", "attention-probs-dropout-prob"});
  t.group("model");
  t.add(number("residual-dropout", &Config::residual_dropout, kRate,
               "dropout of each block's residual branches, or between recurrent layers; default --dropout"),
        {"resid-dropout", "resid-pdrop", "hidden-dropout-prob"});
  t.add(number("head-dropout", &Config::head_dropout, kRate, "dropout before the task head; default --dropout"),
        {"classifier-dropout", "clf-dropout", "clf-pdrop"});
  t.common_free(text("init", &Config::init, "MODEL",
                     "start from the weights of this run folder, checkpoint or Hugging Face directory"),
                {"init-from", "init-checkpoint", "pretrained-model", "model-name-or-path", "finetune-from-model"});
  add_encoder_decoder(t);
  add_recurrent(t);
}

void add_fine_tuning(SettingTable& t) {
  t.group(
      "training from scratch", [](const Config& c) { return c.is_labelled() && c.init.empty(); },
      "labelled tasks without --init");
  t.add(on_off("self-pretrain", &Config::self_pretrain,
               "spend part of --minutes on masked words of the texts before training on labels"));
  t.group(
      "fine-tuning", [](const Config& c) { return c.is_labelled() || !c.init.empty(); },
      "labelled tasks and runs with --init");
  Setting& max_length =
      t.add(whole("max-length", &Config::max_length, 0,
                  "maximum tokens per training sequence; longer examples are truncated; 0: the context"));
  max_length.applies = [](const Config& c) { return c.is_labelled() || c.masks_words() || !c.init.empty(); };
  max_length.applies_to = "labelled tasks, masked words and runs with --init";
  t.add(whole("stride", &Config::stride, 1, "qa: tokens between the starts of two windows over a long text"),
        {"doc-stride"});
  t.add(words("freeze", &Config::freeze, "WHAT",
              "parameters to freeze: embeddings, backbone, blocks (0 or 0-3), names with *"));
  t.add(number("layer-rate-decay", &Config::layer_rate_decay, {0, 1, false, true},
               "learning rate of each block relative to the block above it"),
        {"layer-lr-decay", "layerwise-lr-decay", "llrd"});
  t.add(whole("reset-layers", &Config::reset_layers, 0, "number of top blocks to reinitialise with random weights",
              10000),
        {"reinit-layers", "reinit-top-layers"});
  t.add(number("language-model-weight", &Config::language_model_weight, kNotNegative,
               "weight of the language-model loss added to the task loss; 0.5 in GPT-1's paper"),
        {"aux-lm", "lm-coef", "lambda"});
  t.add(whole("lora-rank", &Config::lora_rank, 0, "train low-rank adapters of this rank instead of the weights; 0: off",
              4096),
        {"lora-r"});
  t.add(number("lora-alpha", &Config::lora_alpha, kPositive, "scale of the adapters; divided by the rank"));
  t.add(number("lora-dropout", &Config::lora_dropout, kRate, "dropout of the adapters' inputs"));
  t.add(words("lora-targets", &Config::lora_targets, "NAME",
              "matrices with adapters: query, key, value, output, up, down"),
        {"lora-target-modules"});
}

}  // namespace rapt
