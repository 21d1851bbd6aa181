using System.Buffers;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Xml;

/// <summary>Writes <c>Error</c>.</summary>
public static class ErrorAnswer
{
    /// <param name="target">Takes UTF-8.</param>
    /// <param name="failure">What happened.</param>
    /// <param name="resource">The path that was asked for, as it was.</param>
    /// <param name="requestId">By which the log knows it.</param>
    public static void Write(
        IBufferWriter<byte> target, S3Exception failure, string resource, string requestId)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var xml = new XmlAnswer(target, "Error", hasNamespace: false);
        xml.Element("Code", failure.Error.Code).Element("Message", failure.Message);
        foreach ((string name, string value) in failure.Details)
        {
            xml.Element(name, value);
        }

        xml.Element("Resource", resource).Element("RequestId", requestId).End("Error");
    }
}
