#include "pose/heads/edpose_head.h"

#include <cmath>

#include "pose/heads/edpose_loss.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// The decoder node and what of the head's node concerns the decoder.
EDPoseDecoderOptions read_decoder(const Config& head) {
  EDPoseDecoderOptions o;
  const Config c = head.at("decoder"), out = head.at("out_head");
  o.layer = read_edpose_layer(c.at("layer_cfg"), "cross_attn_cfg");
  o.layers = c.get<int>("num_layers");
  o.box_layers = c.get("num_box_decoder_layers", 2);
  o.groups = c.get("num_group", 100);
  o.denoising = c.get("num_dn", 100);
  o.keypoints = head.get("num_keypoints", 17);
  check_input(c.get<int64_t>("embed_dims", 256) == o.layer.channels, c.path(),
              ".embed_dims differs from the layers' ", o.layer.channels);
  check_input(c.get("query_dim", 4) == 4, c.path(), ".query_dim: only 4 (boxes) is known");
  check_input(c.get<bool>("return_intermediate", true), c.path(),
              ".return_intermediate: the head needs all layers");
  check_input(c.get("num_feature_levels", o.layer.deformable.levels) == o.layer.deformable.levels,
              c.path(), ".num_feature_levels differs from the attention's ",
              o.layer.deformable.levels);
  c.expect_all_read();
  o.num_classes = out.get<int>("num_classes");
  o.predictors = out.get("num_pred_layer", 6);
  o.class_bias = !out.get("cls_no_bias", false);
  o.share_class = out.get("dec_pred_class_embed_share", false);
  o.share_box = out.get("dec_pred_bbox_embed_share", false);
  o.share_pose = out.get("dec_pred_pose_embed_share", false);
  out.expect_all_read();
  check_input(o.box_layers >= 1 && o.layers > o.box_layers, c.path(), ": of ", o.layers, " layers ",
              o.box_layers, " find people; 1 at least, and one must be left");
  check_input(o.predictors >= o.layers, out.path(), ".num_pred_layer: ", o.predictors, " for ",
              o.layers, " layers");
  check_input(o.groups >= 1 && o.keypoints >= 1 && o.num_classes >= 1, head.path(),
              ": num_group, num_keypoints and num_classes must be positive");
  return o;
}

SinePositions read_positions(const Config& c) {
  SinePositions o;
  if (c.is_null()) return o;
  o.features = c.get("num_pos_feats", int64_t{64});
  o.temperature_y = c.get("temperatureH", 10000.0);
  o.temperature_x = c.get("temperatureW", 10000.0);
  o.normalise = c.get("normalize", false);
  o.scale = c.get("scale", 0.0);
  check_input(o.normalise || o.scale == 0, c.path(), ".scale: wants normalize");
  c.expect_all_read();
  return o;
}

DenoisingOptions read_denoising(const Config& c, int queries) {
  DenoisingOptions o;
  o.queries = queries;
  o.box_noise = c.get("dn_box_noise_scale", 0.0);
  o.label_noise = c.get("dn_label_noise_ratio", 0.0);
  o.labels = c.get<int>("dn_labelbook_size");
  c.find("dn_attn_mask_type_list");  // all three are on
  c.expect_all_read();
  return o;
}

// Everything before the first decoder layer.
struct Start {
  TokenMaps maps;
  Tensor memory;                // (N, S, C)
  Tensor content, references;   // (N, Q, C), (N, Q, 4), cut from autograd
  EDPosePredictions proposals;  // of the same queries, with a history; undefined with one stage
};

class EDPoseHead : public Head {
 public:
  EDPoseHead(const Config& c, const Scope& s);
  Outputs forward(const Features& features) const override { return run(features, {}); }
  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;
  const Codec* codec() const override { return codec_.get(); }

 private:
  void make_proposal_layers(const Config& c, const Scope& s, const EDPoseDecoderOptions& o);
  void initialise(const Scope& s) const;
  Start start(const Features& features, ConstBatch samples) const;
  void choose_proposals(Start& start) const;
  Outputs run(const Features& features, ConstBatch samples) const;

  EDPoseDecoderOptions options_;
  SinePositions positions_;
  DenoisingOptions denoising_;
  EDPoseLossOptions loss_;
  int64_t queries_ = 100, person_ = 0;
  bool two_stage_ = false;
  std::unique_ptr<Codec> codec_;
  DeformableEncoder encoder_;
  EDPoseDecoder decoder_;
  Tensor level_embed_, label_embed_;         // (L, C), (labels + 1, C)
  Tensor query_content_, query_references_;  // (Q, C), (Q, 4) logits, with one stage
  Linear memory_fc_, proposal_class_;
  LayerNorm memory_norm_;
  Mlp proposal_box_;
};

EDPoseHead::EDPoseHead(const Config& c, const Scope& s)
    : options_(read_decoder(c)),
      positions_(read_positions(c.find("positional_encoding"))),
      queries_(c.get("num_queries", int64_t{100})),
      two_stage_(c.get("as_two_stage", false)) {
  const Config encoder = c.at("encoder");
  const EDPoseLayerOptions layer = read_edpose_layer(encoder.at("layer_cfg"), "self_attn_cfg");
  const int64_t C = options_.layer.channels;
  const int levels = c.get("num_feature_levels", 4), denoising = c.get("refine_queries_num", 100);
  check_input(layer.channels == C && layer.deformable.levels == levels &&
                  options_.layer.deformable.levels == levels,
              c.path(), ": encoder and decoder differ in embed_dims or num_levels, or the latter ",
              "is not num_feature_levels");
  check_input(2 * positions_.features == C && C % 4 == 0, c.path(),
              ".positional_encoding.num_pos_feats: ", positions_.features, ", half of ", C,
              " is wanted");
  check_input(denoising == options_.denoising, c.path(), ".refine_queries_num: ", denoising,
              ", decoder.num_dn is ", options_.denoising);
  check_input(queries_ >= options_.groups, c.path(), ".num_queries: ", queries_, " for ",
              options_.groups, " groups");
  denoising_ = read_denoising(c.at("denosing_cfg"), denoising);
  loss_ = read_edpose_loss(c.find("loss"), options_.keypoints, c.path());
  person_ = std::min(1, options_.num_classes - 1);  // COCO's number of the class
  c.find("two_stage_keep_all_tokens");
  if (c.has("data_decoder")) codec_ = make_codec(c.at("data_decoder"));

  encoder_ = DeformableEncoder(s / "encoder", encoder.get<int>("num_layers"), layer);
  encoder.expect_all_read();
  decoder_ = EDPoseDecoder(s / "decoder", s / "out_head", options_);
  label_embed_ =
      (s / "label_enc").parameter("weight", {denoising_.labels + 1, C}, init::normal(0, 1));
  level_embed_ = s.parameter("level_embed", {levels, C}, init::normal(0, 1));
  make_proposal_layers(c, s, options_);
  initialise(s);
}

void EDPoseHead::make_proposal_layers(const Config& c, const Scope& s,
                                      const EDPoseDecoderOptions& o) {
  const int64_t C = o.layer.channels;
  const bool share_class = c.get("dec_pred_class_embed_share", false);
  const bool share_box = c.get("dec_pred_bbox_embed_share", false);
  if (!two_stage_) {
    query_content_ = (s / "query_embedding").parameter("weight", {queries_, C}, init::normal(0, 1));
    query_references_ =
        (s / "refpoint_embedding").parameter("weight", {queries_, 4}, init::normal(0, 1));
    return;
  }
  check_input(!(share_class && share_box), c.path(),
              ": sharing the decoder's predictors with the encoder is not known");
  memory_fc_ = Linear(s / "memory_trans_fc", C, C);
  memory_norm_ = LayerNorm(s / "memory_trans_norm", C);
  proposal_box_ = Mlp(s / "enc_out_bbox_embed", C, C, 4, 3);
  proposal_class_ = Linear(s / "enc_out_class_embed", C, o.num_classes, o.class_bias);
}

// Xavier for what is a matrix in encoder and decoder, but for deformable attention, which has its
// own; predictors begin with steps of 0 and a person's probability of 1 %.
void EDPoseHead::initialise(const Scope& s) const {
  ParameterStore& store = s.store();
  const Init xavier = init::xavier(1, init::Distribution::uniform);
  for (const Parameter& p : store.all()) {
    const auto below = [&](const char* child) { return lies_below(p.name, (s / child).path()); };
    if (!lies_below(p.name, s.path()) || !p.tied_to.empty()) continue;
    const std::string& name = p.name;
    const auto ends = [&](const char* tail) { return name.ends_with(tail); };
    const bool own = name.find("sampling_offsets") != std::string::npos ||
                     name.find("attention_weights") != std::string::npos;
    const bool steps = name.find("bbox_embed") != std::string::npos ||
                       name.find("pose_embed") != std::string::npos ||
                       name.find("pose_hw_embed") != std::string::npos;
    if (own || below("level_embed") || below("label_enc") || below("query_embedding") ||
        below("refpoint_embedding"))
      continue;
    if (steps && ends("layers.2.weight")) {
      store.initialise(name, init::constant(0));
    } else if (p.value.rank() > 1) {
      store.initialise(name, xavier);
    } else if (name.find("class_embed") != std::string::npos) {
      store.initialise(name, init::constant(-std::log(99.0)));
    } else if (ends(".bias")) {
      store.initialise(name, init::constant(0));
    }
  }
}

void EDPoseHead::choose_proposals(Start& start) const {
  const Proposals boxes = propose_boxes(start.maps);
  const Tensor memory = memory_norm_(memory_fc_(start.memory * boxes.usable));
  check(start.maps.tokens >= queries_, "EDPoseHead: ", queries_, " queries of ", start.maps.tokens,
        " positions in all feature maps");
  const Tensor logits = proposal_class_(memory);
  const Tensor best = topk(max(logits.alias(logits.shape()), -1), queries_).second;
  const Tensor content = select_rows(memory, best);
  const Tensor found = sigmoid(proposal_box_(content) + select_rows(boxes.logits, best));
  start.content = content.alias(content.shape());
  start.references = found.alias(found.shape());
  start.proposals = {select_rows(logits, best), found, {}};
}

Start EDPoseHead::start(const Features& features, ConstBatch samples) const {
  check(int64_t(features.size()) == level_embed_.size(0), "EDPoseHead: ", features.size(),
        " feature maps, ", level_embed_.size(0), " are wanted");
  Start start;
  start.maps = lay_out_maps(features, samples);
  std::vector<Tensor> levels;
  const int64_t N = start.maps.samples(), C = level_embed_.size(1);
  for (size_t l = 0; l < features.size(); ++l) {
    const auto [h, w] = start.maps.sizes[l];
    levels.push_back(expand(slice(level_embed_, 0, int64_t(l), int64_t(l) + 1), {h * w, C}));
  }
  const Tensor positions = sine_positions(start.maps, positions_) + concat(levels, 0);
  start.memory = encoder_(join_maps(features), positions, start.maps);
  if (two_stage_) {
    choose_proposals(start);
  } else {
    start.content = expand(query_content_, {N, queries_, C});
    start.references = expand(sigmoid(query_references_), {N, queries_, 4});
  }
  return start;
}

Outputs EDPoseHead::run(const Features& features, ConstBatch samples) const {
  const Start from = start(features, samples);
  const EDPoseMasks masks =
      make_edpose_masks(queries_, options_.groups, options_.keypoints, 0, {}, from.maps.dtype);
  const EDPoseStates states =
      decoder_(from.content, from.references, from.memory, from.maps, masks, 0);
  const EDPosePredictions last = decoder_.predict(states, decoder_.layers() - 1);
  const int64_t N = from.maps.samples(), G = options_.groups, K = options_.keypoints;
  // The model says nothing about the visibility of single points: sigmoid(1) for all.
  const Tensor visible = Tensor::full({N, G, K}, 1 / (1 + std::exp(-1.0)), from.maps.dtype);
  return {{"0", last.logits},
          {"1", last.boxes},
          {"2", concat({reshape(last.points, {N, G, 2 * K}), visible}, 2)}};
}

Losses EDPoseHead::loss(const Features& features, ConstBatch samples) const {
  Start from = start(features, samples);
  const DType dtype = from.maps.dtype;
  const std::vector<EDPoseTruth> truth = read_edpose_truth(samples, options_.keypoints, dtype);
  const int64_t R = denoising_.queries;
  std::vector<int64_t> people;
  for (const EDPoseTruth& image : truth) people.push_back(image.people());
  const DenoisingQueries noisy =
      make_denoising_queries(truth, denoising_, person_, denoising_.labels, op_random());
  const Tensor labels =
      index_select(label_embed_, 0, reshape(noisy.labels, {noisy.labels.numel()}));
  const Tensor content = concat({reshape(labels, {int64_t(truth.size()), R, -1}), from.content}, 1);
  const Tensor references =
      concat({sigmoid(inverse_sigmoid(noisy.boxes.to(dtype))), from.references}, 1);
  const EDPoseMasks masks =
      make_edpose_masks(queries_, options_.groups, options_.keypoints, R, people, dtype);
  const EDPoseStates states = decoder_(content, references, from.memory, from.maps, masks, R);

  const EDPoseCriterion criterion(loss_, truth, person_);
  Losses losses;
  if (two_stage_) criterion.add("enc_", from.proposals, losses);
  for (size_t i = 0; i < decoder_.layers(); ++i) {
    const EDPosePredictions all = decoder_.predict(states, i);
    const std::string prefix = i + 1 < decoder_.layers() ? str("d", i, ".") : "";
    const int64_t Q = all.logits.size(1);
    criterion.add(prefix, {slice(all.logits, 1, R, Q), slice(all.boxes, 1, R, Q), all.points},
                  losses);
    criterion.add_denoising(prefix + "dn_", slice(all.logits, 1, 0, R), slice(all.boxes, 1, 0, R),
                            noisy, losses);
  }
  return losses;
}

std::vector<Prediction> EDPoseHead::predict(const Features& features, const Features*,
                                            ConstBatch samples, const TestOptions& test) const {
  check_input(!test.flip_test, "EDPoseHead knows no flip test: set model.test_cfg.flip_test false");
  check(codec_ != nullptr,
        "the head has no decoder, so it predicts nothing: set model.head.data_decoder");
  const NoRecord no_record;
  const Outputs outputs = run(features, samples);
  const Tensor scores = sigmoid(outputs[0].second).to(Device{});
  const Tensor boxes = outputs[1].second.to(Device{}), points = outputs[2].second.to(Device{});
  const DeviceScope on_host({});
  std::vector<Prediction> predictions;
  for (size_t i = 0; i < samples.size(); ++i) {
    // This family's transforms store height before width.
    const auto& size = samples[i].meta.input_size;
    const std::vector<Tensor> parts{
        Tensor::from(std::vector<float>{float(size[0]), float(size[1])}, {2}), sample_of(scores, i),
        sample_of(boxes, i), sample_of(points, i)};
    Decoded decoded = codec_->decode(parts);
    Prediction& p = predictions.emplace_back();
    p.instances.keypoints = std::move(decoded.keypoints);
    p.instances.keypoint_scores = std::move(decoded.scores);
    p.instances.bbox_scores = std::move(decoded.instance_scores);
    p.instances.bboxes = decoded.more.at("bboxes").at(0);
  }
  return predictions;
}

}  // namespace

std::unique_ptr<Head> make_edpose_head(const Config& config, const Scope& scope) {
  return std::make_unique<EDPoseHead>(config, scope);
}

}  // namespace limber
