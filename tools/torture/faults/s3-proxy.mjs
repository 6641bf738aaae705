export const s3Proxy = { name: 's3-proxy', needs: () => 'not there', play: undefined };
