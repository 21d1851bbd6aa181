using ZeroStor.Client;

namespace ZeroStor.Tests.Client;

public sealed class GatewayAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:30000", "127.0.0.1", 30000)]
    [InlineData("silo-1.example:1", "silo-1.example", 1)]
    [InlineData("[::1]:65535", "::1", 65535)]
    public void A_gateway_is_a_host_and_a_port(string text, string host, int port)
    {
        GatewayAddress address = GatewayAddress.Parse(text);
        Assert.Equal(new GatewayAddress(host, port), address);
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("host")]
    [InlineData(":30000")]
    [InlineData("host:")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:-1")]
    [InlineData("::1:30000")]
    public void What_is_none_is_refused(string text) =>
        Assert.Throws<ZeroStorException>(() => GatewayAddress.Parse(text));

    [Fact]
    public async Task Names_are_looked_up_and_unknown_ones_left_out()
    {
        var list = new GatewayList(
            ["127.0.0.1:30000", "no-such-host.invalid:30000"], TimeProvider.System);
        Uri gateway = Assert.Single(await list.GetGateways());
        Assert.Equal("gwy.tcp://127.0.0.1:30000/0", gateway.ToString());
    }
}
