#include "pose/heads/edpose_decoder.h"

#include <cmath>

#include "tensor/ops.h"

namespace limber {
namespace {

// The queries behind the denoising ones as groups: (N, G, K + 1, C).
Tensor grouped(const Tensor& x, int64_t denoising, int64_t keypoints) {
  return reshape(slice(x, 1, denoising, x.size(1)), {x.size(0), -1, keypoints + 1, x.size(2)});
}

// (N, G, K + 1, C) -> (N, G, C), the box's query; (N, G, K, C), the points'.
Tensor box_of(const Tensor& groups) {
  return reshape(slice(groups, 2, 0, 1), {groups.size(0), groups.size(1), groups.size(3)});
}
Tensor points_of(const Tensor& groups) { return slice(groups, 2, 1, groups.size(2)); }

// The denoising queries and the box of each group: (N, D + G, C).
Tensor boxes_of(const Tensor& x, int64_t denoising, int64_t keypoints) {
  return concat({slice(x, 1, 0, denoising), box_of(grouped(x, denoising, keypoints))}, 1);
}

Tensor first_two(const Tensor& boxes) { return slice(boxes, -1, 0, 2); }
Tensor last_two(const Tensor& boxes) { return slice(boxes, -1, 2, 4); }

// The same numbers, unknown to autograd.
Tensor cut(const Tensor& x) { return x.alias(x.shape()); }

// Every parameter below `to` shares that of the same name below `from`.
void tie_all(const Scope& to, const Scope& from) {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Parameter& p : from.store().all())
    if (lies_below(p.name, from.path()))
      names.emplace_back(p.name.substr(from.path().size() + 1),
                         p.tied_to.empty() ? p.name : p.tied_to);
  for (const auto& [leaf, other] : names) to.tie(leaf, other);
}

}  // namespace

Tensor inverse_sigmoid(const Tensor& x) {
  constexpr double kLeast = 1e-3;
  return log(clamp(x, kLeast, 1) / clamp(1 - x, kLeast, 1));
}

Tensor select_rows(const Tensor& x, const Tensor& rows) {
  const int64_t N = x.size(0), Q = x.size(1), R = rows.size(1);
  const Tensor given = rows.to(Device{});
  std::vector<int64_t> flat(given.span<int64_t>().begin(), given.span<int64_t>().end());
  for (int64_t i = 0; i < N * R; ++i) flat[size_t(i)] += i / R * Q;
  return reshape(index_select(reshape(x, {N * Q, -1}), 0, Tensor::from(flat, {N * R})), {N, R, -1});
}

EDPoseDecoder::EDPoseDecoder(const Scope& s, const Scope& out_head, const EDPoseDecoderOptions& o)
    : options_(o) {
  const EDPoseLayerOptions& l = o.layer;
  for (int i = 0; i < o.layers; ++i) {
    const Scope layer = s / "layers" / i;
    layers_.push_back(
        {MultiheadAttention(layer / "self_attn" / "attn", l.channels, l.self_heads,
                            /*bias=*/true, l.self_drop),
         DeformableAttention(layer / "cross_attn", l.deformable),
         FeedForward(layer / "ffn", l.channels, l.hidden, l.act, l.ffn_drop),
         {LayerNorm(layer / "norms" / 0, l.channels), LayerNorm(layer / "norms" / 1, l.channels),
          LayerNorm(layer / "norms" / 2, l.channels)}});
  }
  norm_ = LayerNorm(s / "norm", l.channels);
  position_ = Mlp(s / "ref_point_head", 2 * l.channels, l.channels, l.channels, 2);
  point_size_ = (s / "hw").parameter("weight", {o.keypoints, 2}, init::normal(0, 1));
  point_content_ =
      (s / "keypoint_embed").parameter("weight", {o.keypoints, l.channels}, init::normal(0, 1));
  make_predictors(s, out_head);
}

void EDPoseDecoder::make_predictors(const Scope& s, const Scope& out_head) {
  const int64_t C = options_.layer.channels;
  // Predictor i of a list, or where the list is shared the first one under another name.
  const auto make_mlps = [&](const char* name, int count, int64_t out, bool shared) {
    std::vector<Mlp> list;
    for (int i = 0; i < count; ++i) {
      if (i > 0 && shared) {
        tie_all(s / name / i, s / name / 0);
        list.push_back(list[0]);
      } else {
        list.emplace_back(s / name / i, C, C, out, 3);
      }
    }
    tie_all(out_head / name, s / name);
    return list;
  };
  const int pose_layers = options_.predictors - options_.box_layers;
  // With 17 key points the first guess of their places has a predictor of its own, the last one.
  const int pose_predictors = pose_layers + (options_.keypoints == 17 ? 1 : 0);
  box_ = make_mlps("bbox_embed", options_.predictors, 4, options_.share_box);
  pose_ = make_mlps("pose_embed", pose_predictors, 2, options_.share_pose);
  pose_size_ = make_mlps("pose_hw_embed", pose_layers, 2, true);
  for (int i = 0; i < options_.predictors; ++i) {
    const Scope own = s / "class_embed" / i;
    if (i > 0 && options_.share_class) {
      tie_all(own, s / "class_embed" / 0);
      class_.push_back(class_[0]);
    } else {
      class_.emplace_back(own, C, options_.num_classes, options_.class_bias);
    }
  }
  tie_all(out_head / "class_embed", s / "class_embed");
}

Tensor EDPoseDecoder::run_layer(const Layer& layer, Tensor queries, const Tensor& references,
                                const Tensor& memory, const TokenMaps& maps,
                                const Tensor& mask) const {
  const int64_t N = queries.size(0), Q = queries.size(1), L = maps.ratios.size(1);
  const Tensor ratios = reshape(concat({maps.ratios, maps.ratios}, 2), {N, 1, L, 4});
  const Tensor in_maps = reshape(references, {N, Q, 1, 4}) * ratios;
  const Tensor first_map = reshape(slice(in_maps, 2, 0, 1), {N, Q, 4});
  const Tensor positions = position_(sine_of_boxes(first_map, options_.layer.channels / 2));
  const Tensor placed = queries + positions;
  queries = layer.norms[0](queries + layer.self(placed, placed, queries, mask));
  queries = layer.norms[1](
      queries + layer.cross(queries + positions, memory, maps.keep, in_maps, maps.sizes));
  return layer.norms[2](queries + layer.ffn(queries));
}

Tensor EDPoseDecoder::move_boxes(const Tensor& queries, const Tensor& references,
                                 size_t layer) const {
  return sigmoid(box_[layer](queries) + inverse_sigmoid(references));
}

EDPoseDecoder::Queries EDPoseDecoder::expand(const Tensor& queries, const Tensor& references,
                                             size_t layer) const {
  const int64_t N = queries.size(0), G = options_.groups, K = options_.keypoints;
  const int64_t C = queries.size(2);
  check(queries.size(1) >= G, "EDPoseHead: ", G, " groups of ", queries.size(1), " queries");
  const Tensor best = topk(max(cut(class_[layer](queries)), -1), G).second;
  const Tensor boxes = reshape(select_rows(references, best), {N, G, 1, 4});
  const Tensor people = reshape(select_rows(queries, best), {N, G, 1, C});
  const Tensor points = people + reshape(point_content_, {1, 1, K, C});
  const Mlp& guess = K == 17 ? pose_.back() : pose_.front();
  const Tensor at = sigmoid(inverse_sigmoid(first_two(boxes)) + guess(points));
  const Tensor size = reshape(sigmoid(point_size_), {1, 1, K, 2}) * last_two(boxes);
  return {reshape(concat({people, points}, 2), {N, G * (K + 1), C}),
          reshape(concat({boxes, concat({at, size}, 3)}, 2), {N, G * (K + 1), 4})};
}

Tensor EDPoseDecoder::refine(const Tensor& queries, const Tensor& references, size_t layer,
                             int64_t denoising) const {
  const int64_t K = options_.keypoints, N = queries.size(0);
  const size_t pose = layer - size_t(options_.box_layers);
  const Tensor boxes =
      move_boxes(boxes_of(queries, denoising, K), boxes_of(references, denoising, K), layer);
  const Tensor content = points_of(grouped(queries, denoising, K));
  const Tensor from = inverse_sigmoid(points_of(grouped(references, denoising, K)));
  const Tensor points =
      sigmoid(from + concat({pose_[pose](content), pose_size_[pose](content)}, 3));
  const int64_t G = points.size(1);
  const Tensor moved = reshape(slice(boxes, 1, denoising, denoising + G), {N, G, 1, 4});
  return concat(
      {slice(boxes, 1, 0, denoising), reshape(concat({moved, points}, 2), {N, G * (K + 1), 4})}, 1);
}

EDPoseStates EDPoseDecoder::operator()(Tensor queries, Tensor references, const Tensor& memory,
                                       const TokenMaps& maps, const EDPoseMasks& masks,
                                       int64_t denoising) const {
  EDPoseStates states{{}, {references}, denoising};
  for (size_t i = 0; i < layers_.size(); ++i) {
    // Layers start from references without a history: each learns its own step. The predictions
    // of layer i + 1 reach back to the step of layer i (Zhang et al. 2023, DINO, arXiv 2203.03605,
    // "look forward twice").
    queries = run_layer(layers_[i], queries, cut(references), memory, maps,
                        is_box_layer(i) ? masks.boxes : masks.groups);
    states.hidden.push_back(norm_(queries));
    if (!is_box_layer(i)) {
      references = refine(queries, cut(references), i, denoising);
    } else {
      references = move_boxes(queries, cut(references), i);
      if (!is_box_layer(i + 1)) {
        const Queries people = expand(slice(queries, 1, denoising, queries.size(1)),
                                      slice(references, 1, denoising, queries.size(1)), i);
        references = concat({slice(references, 1, 0, denoising), people.references}, 1);
        queries = concat({slice(queries, 1, 0, denoising), people.content}, 1);
      }
    }
    states.references.push_back(references);
  }
  return states;
}

EDPosePredictions EDPoseDecoder::predict(const EDPoseStates& states, size_t layer) const {
  const Tensor &hidden = states.hidden[layer], &from = states.references[layer];
  if (is_box_layer(layer)) return {class_[layer](hidden), move_boxes(hidden, from, layer), {}};
  const int64_t D = states.denoising, K = options_.keypoints;
  const Tensor boxes = boxes_of(hidden, D, K);
  const Tensor places = first_two(points_of(grouped(from, D, K)));
  const Tensor steps = pose_[layer - size_t(options_.box_layers)](points_of(grouped(hidden, D, K)));
  return {class_[layer](boxes), move_boxes(boxes, boxes_of(from, D, K), layer),
          sigmoid(inverse_sigmoid(places) + steps)};
}

}  // namespace limber
