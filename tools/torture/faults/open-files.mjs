export const openFiles = { name: 'open-files', needs: () => 'not there', play: undefined };
