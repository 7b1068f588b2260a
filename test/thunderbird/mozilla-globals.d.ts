// What scripts find inside of Thunderbird; Mozilla has no TypeScript declarations of it that a package carries.

// biome-ignore lint/suspicious/noExplicitAny: interfaces of the program, made at run time
declare const Services: any, Cc: any, Ci: any, ChromeUtils: any, Components: any, Cu: any, window: any
