using System.Data.Common;
using System.Net.Sockets;
using Npgsql;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public sealed class PostgresErrorsTests
{
    [Theory]
    [InlineData("53100", ErrorKind.DiskFull)]
    [InlineData("XX001", ErrorKind.Corrupt)]
    [InlineData("XX002", ErrorKind.Corrupt)]
    [InlineData("58030", ErrorKind.Corrupt)]
    [InlineData("58P01", ErrorKind.Corrupt)]
    [InlineData("28P01", ErrorKind.InvalidArgument)]
    [InlineData("28000", ErrorKind.InvalidArgument)]
    [InlineData("3D000", ErrorKind.InvalidArgument)]
    [InlineData("3F000", ErrorKind.InvalidArgument)]
    [InlineData("42501", ErrorKind.InvalidArgument)]
    [InlineData("25006", ErrorKind.Unavailable)]
    [InlineData("53300", ErrorKind.Unavailable)]
    [InlineData("53200", ErrorKind.Unavailable)]
    [InlineData("57P03", ErrorKind.Unavailable)]
    [InlineData("55P03", ErrorKind.Unavailable)]
    [InlineData("40001", ErrorKind.Unavailable)]
    [InlineData("40P01", ErrorKind.Unavailable)]
    [InlineData("57014", ErrorKind.Unavailable)]
    [InlineData("42P01", ErrorKind.Unavailable)]
    [InlineData("XX000", ErrorKind.Unavailable)]
    public void Every_error_of_the_server_has_its_kind_and_a_sentence(string code, ErrorKind kind)
    {
        ZeroStorException told = PostgresErrors.Explain("db at host:5432", Server(code));
        Assert.Equal(kind, told.Kind);
        Assert.StartsWith("The catalog db at host:5432 ", told.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", told.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", told.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_becomes_of_a_connection_is_unavailable()
    {
        DbException[] errors =
        [
            new NpgsqlException("x", new SocketException((int)SocketError.ConnectionRefused)),
            new NpgsqlException("x", new TimeoutException()),
            new NpgsqlException("x", new EndOfStreamException()),
            new NpgsqlException("Something else."),
        ];
        string[] sentences = [.. errors.Select(e => PostgresErrors.Explain("db", e).Message)];
        Assert.Equal(4, sentences.Distinct().Count());
        Assert.All(sentences, s => Assert.EndsWith("try again.", s, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.Equal(ErrorKind.Unavailable, PostgresErrors.Explain("db", e).Kind));
    }

    [Fact]
    public void Only_what_was_surely_undone_and_may_go_through_at_once_is_run_again()
    {
        foreach (string code in new[] { "40001", "40P01", "57P01", "57P02" })
        {
            Assert.True(PostgresErrors.MayPass(Server(code)), code);
        }

        foreach (string code in new[] { "53100", "55P03", "28P01", "25006", "23505", "53300", "57014" })
        {
            Assert.False(PostgresErrors.MayPass(Server(code)), code);
        }

        Assert.True(PostgresErrors.MayPass(new NpgsqlException("x", new EndOfStreamException())));
        Assert.False(PostgresErrors.MayPass(new NpgsqlException("x", new TimeoutException())));
    }

    private static PostgresException Server(string code) => new("it said so.", "ERROR", "ERROR", code);
}
