// PNG through libpng: every colour type comes out as 8-bit B, G, R. As with JPEG, errors leave the
// library by longjmp, and nothing with a destructor is created between it and its setjmp.
#include <png.h>

#include <csetjmp>
#include <cstring>

#include "data/image.h"

namespace limber {
namespace {

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const uint8_t> bytes;
  size_t at = 0;
  char message[200] = "";
  png_uint_32 width = 0, height = 0;
  std::vector<png_bytep> rows;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }

  static void on_error(png_structp png, png_const_charp text) {
    auto* self = static_cast<Reader*>(png_get_error_ptr(png));
    std::strncpy(self->message, text, sizeof self->message - 1);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep to, png_size_t count) {
    auto* self = static_cast<Reader*>(png_get_io_ptr(png));
    if (self->bytes.size() - self->at < count) png_error(png, "file is cut short");
    std::memcpy(to, self->bytes.data() + self->at, count);
    self->at += count;
  }

  bool read_header() {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png == nullptr) return false;
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    info = png_create_info_struct(png);
    png_set_read_fn(png, this, on_read);
    png_set_user_limits(png, kMaxImageSide, kMaxImageSide);
    png_read_info(png, info);
    width = png_get_image_width(png, info);
    height = png_get_image_height(png, info);
    const int colour = png_get_color_type(png, info);
    if (png_get_bit_depth(png, info) == 16) png_set_strip_16(png);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (!(colour & PNG_COLOR_MASK_COLOR)) {
      png_set_expand_gray_1_2_4_to_8(png);
      png_set_gray_to_rgb(png);
    }
    png_set_strip_alpha(png);
    png_set_bgr(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != size_t(width) * 3) png_error(png, "unknown pixel layout");
    return true;
  }

  bool read_pixels() {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    png_read_image(png, rows.data());
    png_read_end(png, nullptr);
    return true;
  }
};

struct Writer {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::vector<uint8_t> bytes;
  char message[200] = "";
  ~Writer() { png_destroy_write_struct(&png, &info); }

  static void on_error(png_structp png, png_const_charp text) {
    auto* self = static_cast<Writer*>(png_get_error_ptr(png));
    std::strncpy(self->message, text, sizeof self->message - 1);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_write(png_structp png, png_bytep from, png_size_t count) {
    auto* self = static_cast<Writer*>(png_get_io_ptr(png));
    self->bytes.insert(self->bytes.end(), from, from + count);
  }
  static void on_flush(png_structp) {}

  bool run(const uint8_t* from, png_uint_32 H, png_uint_32 W, int C) {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png == nullptr) return false;
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    info = png_create_info_struct(png);
    png_set_write_fn(png, this, on_write, on_flush);
    png_set_IHDR(png, info, W, H, 8, C == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 4);
    png_write_info(png, info);
    png_set_bgr(png);
    for (png_uint_32 y = 0; y < H; ++y) png_write_row(png, from + size_t(y) * W * size_t(C));
    png_write_end(png, info);
    return true;
  }
};

}  // namespace

Tensor decode_png(std::span<const uint8_t> bytes, const std::string& name) {
  Reader reader;
  reader.bytes = bytes;
  check_input(reader.read_header(), name, ": damaged PNG: ", reader.message);
  const int64_t H = reader.height, W = reader.width;
  check_input(H * W <= kMaxImagePixels, name, ": PNG of ", W, " x ", H,
              " pixels is larger than the reader allows");
  Tensor image = Tensor::empty({H, W, 3}, DType::u8);
  for (int64_t y = 0; y < H; ++y) reader.rows.push_back(image.data<uint8_t>() + y * W * 3);
  check_input(reader.read_pixels(), name, ": damaged PNG: ", reader.message);
  return image;
}

std::vector<uint8_t> encode_png(const Tensor& image) {
  check_image(image, "encode_png");
  const int64_t C = image.size(2);
  check(image.numel() > 0 && (C == 1 || C == 3), "encode_png: cannot write an image of shape ",
        image.shape());
  Writer writer;
  check(writer.run(image.data<uint8_t>(), png_uint_32(image.size(0)), png_uint_32(image.size(1)),
                   int(C)),
        "encode_png: ", writer.message);
  return std::move(writer.bytes);
}

}  // namespace limber
