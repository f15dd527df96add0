/* Names that nobody guesses, and nothing else has. */
#ifndef SYS_TOKEN_H
#define SYS_TOKEN_H

enum { TOKEN_TEXT = 33 };

/* 128 random bits as 32 hexadecimal digits, into out; returns out. */
const char *token_new(char out[TOKEN_TEXT]);

#endif
