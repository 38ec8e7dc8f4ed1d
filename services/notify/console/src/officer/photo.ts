// A photo made small enough for a thin line. A canvas drops what the camera noted, so where and when it was taken are
// carried over from the original into the copy (EXIF 2.32: DateTimeOriginal, and the GPS directory's four tags).

const LONGEST = 1280
const QUALITY = 0.72
const ASCII = 2, RATIONAL = 5
const EXIF_AT = 0x8769, GPS_AT = 0x8825, TAKEN = 0x9003

export async function shrink(photo: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(photo)
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height))
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale))
  canvas.getContext("2d")!.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  const small = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY })
  const noted = exifOf(new DataView(await photo.arrayBuffer()))
  return noted ? new Blob([small.slice(0, 2), noted, small.slice(2)], { type: "image/jpeg" }) : small
}

type Tags = Map<number, Uint8Array<ArrayBuffer>>

/** The segment for the copy; null where the original says neither. */
function exifOf(file: DataView): Uint8Array<ArrayBuffer> | null {
  try {
    const tiff = tiffOf(file)
    if (tiff < 0) return null
    const little = file.getUint16(tiff) === 0x4949
    const first = directory(file, tiff, little, file.getUint32(tiff + 4, little))
    const inner = (tag: number) => (first.has(tag) ? directory(file, tiff, little, number(first.get(tag)!, little)) : new Map())
    const taken = inner(EXIF_AT).get(TAKEN)
    const gps = inner(GPS_AT) as Tags
    const place = [1, 2, 3, 4].every((tag) => gps.has(tag))
    return taken || place ? segment(taken, place ? gps : null, little) : null
  } catch {
    // A camera that notes nonsense: the picture is worth sending all the same.
    return null
  }
}

/** Where the TIFF of a JPEG's APP1 begins; -1 if there is none. */
function tiffOf(file: DataView): number {
  if (file.getUint16(0) !== 0xffd8) return -1
  for (let at = 2; file.getUint16(at) >= 0xffe0 && file.getUint16(at) <= 0xffef; at += 2 + file.getUint16(at + 2)) {
    if (file.getUint16(at) === 0xffe1 && file.getUint32(at + 4) === 0x45786966) return at + 10
  }
  return -1
}

/** The values of a directory's tags, as they lie there. */
function directory(file: DataView, tiff: number, little: boolean, offset: number): Tags {
  const found: Tags = new Map()
  const count = file.getUint16(tiff + offset, little)
  for (let i = 0; i < count; i++) {
    const at = tiff + offset + 2 + 12 * i
    const size = [0, 1, 1, 2, 4, 8][file.getUint16(at + 2, little)]! * file.getUint32(at + 4, little)
    if (!(size < 100)) continue
    const value = size <= 4 ? at + 8 : tiff + file.getUint32(at + 8, little)
    found.set(file.getUint16(at, little), new Uint8Array(file.buffer as ArrayBuffer, file.byteOffset + value, size))
  }
  return found
}

const number = (bytes: Uint8Array<ArrayBuffer>, little: boolean): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, little)

/** APP1 with a directory that points to the two others; values stay in the byte order of the original. */
function segment(taken: Uint8Array<ArrayBuffer> | undefined, gps: Tags | null, little: boolean): Uint8Array<ArrayBuffer> {
  const out = new DataView(new ArrayBuffer(400))
  const tiff = 10
  let end = 0
  const short = (at: number, value: number) => out.setUint16(tiff + at, value, little)
  const long = (at: number, value: number) => out.setUint32(tiff + at, value, little)
  const put = (entries: [number, number, number, Uint8Array<ArrayBuffer> | number][]): number => {
    const begin = end
    short(begin, entries.length)
    end = begin + 2 + 12 * entries.length + 4
    for (const [i, [tag, type, count, value]] of entries.entries()) {
      const at = begin + 2 + 12 * i
      short(at, tag)
      short(at + 2, type)
      long(at + 4, count)
      if (typeof value === "number") long(at + 8, value)
      else {
        const where = value.length <= 4 ? at + 8 : end
        new Uint8Array(out.buffer).set(value, tiff + where)
        if (where === end) {
          long(at + 8, end)
          end += value.length
        }
      }
    }
    return begin
  }
  const pointers = Number(!!taken) + Number(!!gps)
  const start = 8
  // The first directory stands first and is written last, once it is known where the others are.
  end = start + 2 + 12 * pointers + 4
  const entries: [number, number, number, number][] = []
  if (taken) entries.push([EXIF_AT, 4, 1, put([[TAKEN, ASCII, taken.length, taken]])])
  if (gps) entries.push([GPS_AT, 4, 1, put([1, 2, 3, 4].map((tag) => [tag, tag % 2 ? ASCII : RATIONAL, tag % 2 ? gps.get(tag)!.length : 3, gps.get(tag)!]))])
  const whole = end
  end = start
  put(entries)
  out.setUint32(0, 0xffe10000 | (whole + 8))
  out.setUint32(4, 0x45786966)
  out.setUint16(tiff, little ? 0x4949 : 0x4d4d)
  short(2, 42)
  long(4, start)
  return new Uint8Array(out.buffer, 0, tiff + whole)
}
