export const watches = { name: 'watches', needs: () => 'not there', play: undefined };
