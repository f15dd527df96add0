#include <stdio.h>

int main(void)
{
	return fputs("dormouse " DORMOUSE_VERSION "\n", stdout) < 0;
}
