// What the server says to people, in the languages of LANG. Response codes and figures are the same in all of them.

export const texts = {
  ready: { en: 'Sekimori POP3 ready', ja: 'Sekimori POP3 の準備ができました' },
  bye: { en: 'Bye', ja: 'さようなら' },
  needsTls: {
    en: 'Passwords are only taken over an encrypted connection: use STLS first, or the POP3S port',
    ja: 'パスワードは暗号化された接続でのみ受け付けます。先に STLS を使うか、POP3S のポートに接続してください',
  },
  unavailable: {
    en: 'The server can not check logins or open maildrops now, try again later',
    ja: '現在ログインの確認またはメールボックスの使用ができません。しばらくしてからもう一度お試しください',
  },
  wrong: { en: 'Wrong address or password', ja: 'メールアドレスまたはパスワードが違います' },
  slowed: {
    en: 'Too many failed logins from your network, try again later',
    ja: 'お使いのネットワークからのログイン失敗が多すぎます。しばらくしてからもう一度お試しください',
  },
  tokenRefused: { en: 'The token is not accepted', ja: 'トークンは受け付けられません' },
  inUse: {
    en: 'The maildrop is in use by another session',
    ja: 'メールボックスは別の接続で使用中です',
  },
  tooManyWithoutLogin: { en: 'Too many commands without a login', ja: 'ログイン前のコマンドが多すぎます' },
  tooManyBad: { en: 'Too many bad commands', ja: '不正なコマンドが多すぎます' },
  shed: {
    en: 'The server is full, and you have not logged in yet: try again later',
    ja: 'サーバーが混み合っているため、ログイン前の接続を終了します。しばらくしてからもう一度お試しください',
  },
  full: 'Too many sessions, try again later',
  capabilities: { en: 'Capabilities follow', ja: '機能の一覧です' },
  mechanisms: { en: 'Mechanisms follow', ja: '認証方式の一覧です' },
  languages: { en: 'Languages follow', ja: '言語の一覧です' },
  languageChosen: { en: 'en Replies are in English', ja: 'ja 日本語で応答します' },
  languageUnknown: { en: 'That language is not spoken here', ja: 'その言語には対応していません' },
  utf8: { en: 'Headers may be in UTF-8', ja: 'ヘッダーに UTF-8 を使います' },
  utf8TooLate: { en: 'UTF8 comes before the login', ja: 'UTF8 はログインの前に使ってください' },
  stlsTooLate: { en: 'STLS comes before UTF8', ja: 'STLS は UTF8 の前に使ってください' },
  tlsActive: { en: 'TLS is already active', ja: 'すでに TLS を使用しています' },
  beginTls: { en: 'Begin TLS negotiation', ja: 'TLS のネゴシエーションを始めてください' },
  sendPassword: { en: 'Send the password', ja: 'パスワードを送ってください' },
  userFirst: { en: 'Send USER first', ja: '先に USER を送ってください' },
  loginFirst: { en: 'Log in first', ja: '先にログインしてください' },
  loggedIn: { en: 'You are already logged in', ja: 'すでにログインしています' },
  unknownMechanism: { en: 'Unknown mechanism', ja: '認証方式に対応していません' },
  cancelled: { en: 'Authentication cancelled', ja: '認証を取り消しました' },
  badResponse: { en: 'The response can not be understood', ja: '応答を解釈できません' },
  top: { en: 'Top of message follows', ja: 'メールの先頭部分です' },
  noMessage: { en: 'No such message', ja: 'そのメールはありません' },
  stillHere: { en: 'Still here', ja: '接続しています' },
  unreadable: {
    en: 'The message can not be read now, try again later',
    ja: '現在メールを読み出せません。しばらくしてからもう一度お試しください',
  },
  lockLost: {
    en: 'Some deleted messages were not removed: the lock on the maildrop was lost',
    ja: '削除するメールの一部を削除できませんでした。メールボックスの占有が失われました',
  },
  notRemoved: {
    en: 'Some deleted messages were not removed, try again later',
    ja: '削除するメールの一部を削除できませんでした。しばらくしてからもう一度お試しください',
  },
  tooLong: { en: 'The line is too long', ja: '行が長すぎます' },
  notUtf8: { en: 'The line is not UTF-8', ja: '行が UTF-8 ではありません' },
  badCharacters: {
    en: 'The line has characters that are not allowed',
    ja: '行に使えない文字があります',
  },
  unknownCommand: { en: 'Unknown command', ja: 'コマンドに対応していません' },
} as const

export const removed = (count: number) => ({
  en: `${count} messages removed, bye`,
  ja: `${count} 通を削除しました。さようなら`,
})

export const summary = (count: number, octets: number) => ({
  en: `${count} messages (${octets} octets)`,
  ja: `${count} 通 (${octets} オクテット)`,
})

export const size = (octets: number) => ({ en: `${octets} octets`, ja: `${octets} オクテット` })

export const marked = (number: number) => ({
  en: `Message ${number} marked as deleted`,
  ja: `メール ${number} に削除の印を付けました`,
})

export const isMarked = (number: number) => ({
  en: `Message ${number} is marked as deleted`,
  ja: `メール ${number} には削除の印が付いています`,
})

export const noArgument = (verb: string) => ({
  en: `${verb} takes no argument`,
  ja: `${verb} に引数は付けられません`,
})

export const takes = (verb: string, en: string, ja: string) => ({
  en: `${verb} takes ${en}`,
  ja: `${verb} には${ja}が必要です`,
})
