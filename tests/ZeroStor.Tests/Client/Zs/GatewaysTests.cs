using System.Net;
using System.Net.Sockets;
using ZeroStor.CommandLine;

namespace ZeroStor.Tests.Client.Zs;

public sealed class GatewaysTests
{
    private const string Context = """{"gateway":"context:1"}""";

    [Fact]
    public void The_option_goes_before_the_variable_before_the_file_before_the_default()
    {
        Assert.Equal(["option:1", "option:2"], Choose("option:1, option:2", "variable:1", Context));
        Assert.Equal(["variable:1"], Choose(null, "variable:1", Context));
        Assert.Equal(["context:1"], Choose(null, null, Context));
        Assert.Equal(["127.0.0.1:30000"], Choose(null, null, null));
        Assert.Equal(["127.0.0.1:30000"], Choose("", "", "{}"));
    }

    [Theory]
    [InlineData(null, "/home/me/.config/zerostor/context.json")]
    [InlineData("/cfg", "/cfg/zerostor/context.json")]
    public void The_file_lies_where_the_desktop_says(string? xdg, string path)
    {
        string? asked = null;
        Gateways.Choose(
            null,
            name => name == "HOME" ? "/home/me" : name == "XDG_CONFIG_HOME" ? xdg : null,
            file =>
            {
                asked = file;
                return null;
            });
        Assert.Equal(path, asked);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"gateway":5}""")]
    [InlineData("""{"gateway":"nowhere"}""")]
    public void A_file_that_says_nonsense_is_refused(string context) => Assert.Equal(
        ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(() => Choose(null, null, context)).Kind);

    [Fact]
    public async Task Probing_finds_those_that_listen_and_does_not_wait_for_those_that_do_not()
    {
        using var listening = new TcpListener(IPAddress.Loopback, 0);
        listening.Start();
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        string open = listening.LocalEndpoint.ToString()!;
        string shut = closed.LocalEndpoint.ToString()!;
        closed.Stop();
        var timeout = TimeSpan.FromSeconds(30);
        Assert.Equal([open], await Gateways.ProbeAsync([shut, open], timeout, CancellationToken.None));
        Assert.Empty(
            await Gateways.ProbeAsync([shut, "no-such-host.invalid:1"], timeout, CancellationToken.None));
    }

    [Theory]
    [InlineData(1, 0.3, 0.1, 4.2)]
    [InlineData(1, 0.5, 1.2, 4)]
    [InlineData(1, 1.5, 0.1, 12)]
    [InlineData(1, 60, 0.1, 15)]
    [InlineData(2, 0.3, 0.1, 15)]
    public void Who_took_a_connection_has_as_much_longer_to_speak_as_this_machine_has_too_much_to_do(
        int gateways, double startSeconds, double probingSeconds, double patienceSeconds) => Assert.Equal(
        TimeSpan.FromSeconds(patienceSeconds),
        Gateways.PatienceToSpeak(
            gateways, TimeSpan.FromSeconds(startSeconds), TimeSpan.FromSeconds(probingSeconds)));

    private static string[] Choose(string? option, string? variable, string? context) => Gateways.Choose(
        option,
        name => name == Gateways.Variable ? variable : name == "HOME" ? "/home/me" : null,
        _ => context);
}
