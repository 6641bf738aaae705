export const clocks = { name: 'clocks', needs: () => 'not there', play: undefined };
