// JPEG through libjpeg-turbo. The library reports errors by a callback that must not return, so
// each use runs between a setjmp and the library's longjmp; nothing with a destructor is created
// there.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "data/image.h"

// clang-format off: jpeglib.h needs <cstdio> before it
#include <jerror.h>
#include <jpeglib.h>
// clang-format on

namespace limber {
namespace {

struct ErrorState {
  jpeg_error_mgr manager;  // first: the library hands back a pointer to it
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  bool ended_early, missing_data;
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* state = reinterpret_cast<ErrorState*>(info->err);
  info->err->format_message(info, state->message);
  std::longjmp(state->jump, 1);
}

// Negative levels are warnings: the decoder ran out of data and made some up.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  auto* state = reinterpret_cast<ErrorState*>(info->err);
  state->ended_early |= info->err->msg_code == JWRN_JPEG_EOF;
  state->missing_data |= info->err->msg_code == JWRN_HIT_MARKER;
}

jpeg_error_mgr* prepare(ErrorState& state) {
  jpeg_std_error(&state.manager);
  state.manager.error_exit = on_error;
  state.manager.emit_message = on_message;
  state.message[0] = '\0';
  state.ended_early = state.missing_data = false;
  return &state.manager;
}

// Turns C, M, Y, K into B, G, R in place of the first three of four. Adobe writes the four
// inverted (255: no ink), and cv2 takes all files as such; files without Adobe's mark hold ink.
void cmyk_to_bgr(const uint8_t* cmyk, uint8_t* bgr, int64_t pixels, bool inverted) {
  for (int64_t i = 0; i < pixels; ++i, cmyk += 4, bgr += 3) {
    int ink[4];
    for (int c = 0; c < 4; ++c) ink[c] = inverted ? cmyk[c] : 255 - cmyk[c];
    for (int c = 0; c < 3; ++c) bgr[2 - c] = uint8_t(ink[3] - ((255 - ink[c]) * ink[3] >> 8));
  }
}

struct Decoder {
  jpeg_decompress_struct info{};
  ErrorState errors{};
  int orientation = 1;
  bool cmyk = false;
  ~Decoder() { jpeg_destroy_decompress(&info); }

  // All of these return false after an error.
  bool read_header(std::span<const uint8_t> bytes) {
    if (setjmp(errors.jump) != 0) return false;
    info.err = prepare(errors);
    jpeg_create_decompress(&info);
    jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&info, TRUE);
    cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
    info.out_color_space = cmyk ? JCS_CMYK : JCS_EXT_BGR;
    for (auto* marker = info.marker_list; marker != nullptr; marker = marker->next)
      if (marker->marker == JPEG_APP0 + 1 && orientation == 1)
        orientation = exif_orientation({marker->data, marker->data_length});
    return true;
  }

  bool read_pixels(uint8_t* to, size_t stride) {
    if (setjmp(errors.jump) != 0) return false;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = to + info.output_scanline * stride;
      jpeg_read_scanlines(&info, &row, 1);
    }
    return true;
  }

  // Lines will hold the columns [left, left + width), which become more: blocks are not cut.
  bool start_part(JDIMENSION& left, JDIMENSION& width) {
    if (setjmp(errors.jump) != 0) return false;
    jpeg_start_decompress(&info);
    jpeg_crop_scanline(&info, &left, &width);
    return true;
  }

  // Rows [top, top + rows): of each line the `stride` bytes from `first` on.
  bool read_part(uint8_t* to, size_t stride, JDIMENSION top, JDIMENSION rows, uint8_t* line,
                 size_t first) {
    if (setjmp(errors.jump) != 0) return false;
    if (top > 0) jpeg_skip_scanlines(&info, top);
    while (info.output_scanline < top + rows) {
      uint8_t* row = to + (info.output_scanline - top) * stride;
      jpeg_read_scanlines(&info, &line, 1);
      std::memcpy(row, line + first, stride);
    }
    return true;
  }
};

struct Encoder {
  jpeg_compress_struct info{};
  ErrorState errors{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }

  bool run(const uint8_t* from, int64_t H, int64_t W, int64_t C, int quality) {
    if (setjmp(errors.jump) != 0) return false;
    info.err = prepare(errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &size);
    info.image_width = JDIMENSION(W);
    info.image_height = JDIMENSION(H);
    info.input_components = int(C);
    info.in_color_space = C == 3 ? JCS_EXT_BGR : JCS_GRAYSCALE;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    if (C == 3 && quality >= 90)
      info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      JSAMPROW row = const_cast<JSAMPROW>(from + int64_t(info.next_scanline) * W * C);
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    return true;
  }
};

void check_decoded(bool success, const Decoder& decoder, const std::string& name) {
  const ErrorState& errors = decoder.errors;
  check_input(success, name, ": damaged JPEG: ", errors.message);
  // A file may lack its end mark and still be whole; one that ran out of data is not.
  const bool progressive = decoder.info.progressive_mode != 0;
  check_input(!(errors.ended_early && (errors.missing_data || progressive)), name,
              ": JPEG file is cut short");
}

// Reads the header.
void open(Decoder& decoder, std::span<const uint8_t> bytes, const std::string& name) {
  check_input(decoder.read_header(bytes), name, ": damaged JPEG: ", decoder.errors.message);
  const int64_t H = decoder.info.image_height, W = decoder.info.image_width;
  check_input(
      H > 0 && W > 0 && H <= kMaxImageSide && W <= kMaxImageSide && H * W <= kMaxImagePixels, name,
      ": JPEG of ", W, " x ", H, " pixels is larger than the reader allows");
}

}  // namespace

Tensor decode_jpeg(std::span<const uint8_t> bytes, const std::string& name) {
  Decoder decoder;
  open(decoder, bytes, name);
  const int64_t H = decoder.info.image_height, W = decoder.info.image_width;
  Tensor raw = Tensor::empty({H, W, decoder.cmyk ? 4 : 3}, DType::u8);
  const bool success = decoder.read_pixels(raw.data<uint8_t>(), size_t(W * raw.size(2)));
  check_decoded(success, decoder, name);
  if (!decoder.cmyk) return oriented(raw, decoder.orientation);
  Tensor bgr = Tensor::empty({H, W, 3}, DType::u8);
  const bool adobe = decoder.info.saw_Adobe_marker != 0;
  cmyk_to_bgr(raw.data<uint8_t>(), bgr.data<uint8_t>(), H * W, adobe);
  return oriented(bgr, decoder.orientation);
}

std::optional<std::array<int, 2>> size_of_divisible_jpeg(std::span<const uint8_t> bytes,
                                                         const std::string& name) {
  Decoder decoder;
  open(decoder, bytes, name);
  const bool ends = bytes[bytes.size() - 2] == 0xFF && bytes.back() == JPEG_EOI;
  if (!ends || decoder.cmyk || decoder.orientation != 1 ||
      jpeg_has_multiple_scans(&decoder.info) != FALSE)
    return std::nullopt;
  return std::array<int, 2>{int(decoder.info.image_width), int(decoder.info.image_height)};
}

// Columns: the outermost of a cut have no neighbours to smooth chroma with, and a cut of one or
// two chroma samples may not be smoothed at all, so it is made wider. Rows: jpeg_skip_scanlines()
// sees to the same. Skipped blocks are read from the bit stream, but neither transformed nor
// converted; what is below is not read.
Tensor decode_jpeg_part(std::span<const uint8_t> bytes, const std::string& name,
                        const Rectangle& part) {
  constexpr int kMargin = 8;
  Decoder decoder;
  open(decoder, bytes, name);
  const int H = int(decoder.info.image_height), W = int(decoder.info.image_width);
  check(part.left >= 0 && part.top >= 0 && part.width > 0 && part.height > 0 &&
            part.left + part.width <= W && part.top + part.height <= H,
        "decode_jpeg_part: ", part.width, " x ", part.height, " at (", part.left, ", ", part.top,
        ") leaves the picture of ", W, " x ", H);
  auto left = JDIMENSION(std::max(0, part.left - kMargin));
  auto width = JDIMENSION(std::min(W, part.left + part.width + kMargin)) - left;
  check_decoded(decoder.start_part(left, width), decoder, name);
  Tensor out = Tensor::empty({part.height, part.width, 3}, DType::u8);
  std::vector<uint8_t> line(size_t(width) * 3);
  const bool success =
      decoder.read_part(out.data<uint8_t>(), size_t(part.width) * 3, JDIMENSION(part.top),
                        JDIMENSION(part.height), line.data(), (size_t(part.left) - left) * 3);
  check_decoded(success, decoder, name);
  return out;
}

std::vector<uint8_t> encode_jpeg(const Tensor& image, int quality) {
  check_image(image, "encode_jpeg");
  const int64_t H = image.size(0), W = image.size(1), C = image.size(2);
  check(H > 0 && W > 0 && H < 65536 && W < 65536 && (C == 1 || C == 3),
        "encode_jpeg: cannot write an image of shape ", image.shape());
  Encoder encoder;
  check(encoder.run(image.data<uint8_t>(), H, W, C, std::clamp(quality, 1, 100)),
        "encode_jpeg: ", encoder.errors.message);
  return {encoder.bytes, encoder.bytes + encoder.size};
}

}  // namespace limber
