/** sRGB bytes of `#rgb` or `#rrggbb`. */
export function rgb(hex: string): [number, number, number] {
  let s = hex.slice(1)
  if (s.length === 3) s = s[0] + s[0] + s[1] + s[1] + s[2] + s[2]
  const n = parseInt(s, 16)
  return [n >> 16, (n >> 8) & 255, n & 255]
}

function luminance(c: [number, number, number]): number {
  const f = (v: number) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2])
}

/** WCAG contrast ratio of two colours. */
export function contrast(a: string, b: string): number {
  const x = luminance(rgb(a))
  const y = luminance(rgb(b))
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

/** Text colour on `bg`: white where it reads well, else ink, else black. */
export function textOn(bg: string): string {
  return contrast(bg, '#ffffff') >= 4.5 ? '#ffffff' : contrast(bg, '#1f1d1a') >= 4.5 ? '#1f1d1a' : '#000000'
}

/** `color`, moved towards white or black until it reads on `bg` with 4.5:1. */
export function readable(color: string, bg: string): string {
  const to = luminance(rgb(bg)) > 0.18 ? 0 : 255
  let hex = color
  for (let k = 1; contrast(hex, bg) < 4.5 && k <= 20; k++) {
    const c = rgb(color)
    hex = '#'
    for (let i = 0; i < 3; i++) hex += (256 + Math.round(c[i] + ((to - c[i]) * k) / 20)).toString(16).slice(1)
  }
  return hex
}
