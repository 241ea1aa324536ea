/** sRGB bytes of `#rgb` or `#rrggbb`. */
function rgb(hex: string): number[] {
  const n = parseInt(hex.length < 7 ? hex.replace(/\w/g, '$&$&').slice(1) : hex.slice(1), 16)
  return [n >> 16, (n >> 8) & 255, n & 255]
}

function luminance(hex: string): number {
  const c = rgb(hex)
  const f = (v: number) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2])
}

/** WCAG contrast ratio of two colours. */
export function contrast(a: string, b: string): number {
  const x = luminance(a)
  const y = luminance(b)
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

/**
 * Text colour on `bg`: white or black, always 4.5:1 or more. Up to a luminance
 * of 0.183 white has it, from 0.175 on black: between the two there is room
 * for a plain power in place of the exact curve.
 */
export function textOn(bg: string): string {
  const c = rgb(bg)
  return 0.2126 * c[0] ** 2.2 + 0.7152 * c[1] ** 2.2 + 0.0722 * c[2] ** 2.2 < 0.179 * 255 ** 2.2 ? '#fff' : '#000'
}

/** `color`, moved towards white or black until it reads on `bg` with 4.5:1. */
export function readable(color: string, bg: string): string {
  const to = luminance(bg) > 0.18 ? 0 : 255
  const c = rgb(color)
  let hex = color
  for (let k = 1; contrast(hex, bg) < 4.5 && k <= 20; k++) {
    hex = '#'
    for (let i = 0; i < 3; i++) hex += (256 + Math.round(c[i] + ((to - c[i]) * k) / 20)).toString(16).slice(1)
  }
  return hex
}
